"""An operator sees work: the numbers of every service move, and their names come from one closed list."""

from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.layout import ROOT, SERVICES
from shared.observability import metrics  # noqa: F401 - registers the closed list
from tests.support.local_stack import LocalStack
from tests.support.stack_client import StackClient, wait_for

pytestmark = pytest.mark.stack
WORKER = {"veracity_windows_total", "veracity_batch_windows_count", "veracity_decode_seconds_count",
          "veracity_inference_seconds_count", "veracity_records_in_total", "veracity_records_out_total"}
MOVED = {
    "ingest": {"veracity_jobs_taken_total", "veracity_jobs_planned_total", "veracity_request_seconds_count",
               "veracity_records_in_total", "veracity_records_out_total", "veracity_store_seconds_count"},
    "audio_worker": WORKER,
    "video_worker": WORKER,
    "fusion": {"veracity_windows_scored_total", "veracity_verdicts_total", "veracity_records_in_total",
               "veracity_inference_seconds_count"},
    "explain": {"veracity_explanations_total", "veracity_explain_seconds_count", "veracity_records_in_total"},
}


def sums(stack: LocalStack, service: str) -> dict[str, float]:
    """Of each of our samples over all labels."""
    text = httpx.get(f"http://127.0.0.1:{stack.layout.port(service)}/metrics", trust_env=False).text
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name.startswith("veracity_"):
                found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


def test_numbers_of_every_service_move(stack: LocalStack, client: StackClient) -> None:
    before = {service: sums(stack, service) for service in SERVICES}
    content = (ROOT / "deploy/local/demo/clip.mp4").read_bytes()
    assert client.finished(client.submit(content)).status == "completed"

    def still() -> dict[str, set[str]]:
        now = {service: sums(stack, service) for service in SERVICES}
        return {service: {name for name in names if now[service].get(name, 0) <= before[service].get(name, 0)}
                for service, names in MOVED.items()}

    wait_for(lambda: not any(still().values()), f"moving numbers: {still()}", 20)


def test_no_service_has_numbers_outside_the_list(stack: LocalStack) -> None:
    known: dict[str, Any] = REGISTRY._names_to_collectors
    for service in SERVICES:
        assert sums(stack, service).keys() <= known.keys()


def test_probes_answer(stack: LocalStack) -> None:
    for service in SERVICES:
        for path in ("healthz", "readyz"):
            url = f"http://127.0.0.1:{stack.layout.port(service)}/{path}"
            assert httpx.get(url, trust_env=False).status_code == 200
