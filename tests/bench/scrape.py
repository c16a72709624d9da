"""Reading a service's own metrics."""

import httpx
from prometheus_client.parser import text_string_to_metric_families


def metric_sum(url: str, name: str) -> float:
    """The sum over all labels of the samples called `name` at `url`/metrics; 0.0 if there are none."""
    text = httpx.get(f"{url}/metrics", timeout=10).raise_for_status().text
    families = text_string_to_metric_families(text)
    return float(sum(s.value for family in families for s in family.samples if s.name == name))
