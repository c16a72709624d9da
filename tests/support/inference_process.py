"""A worker or explain as a process of its own, on real servers."""

import sys
import urllib.request
from pathlib import Path

from deploy.local.ports import free_ports
from deploy.local.process import Server


class InferenceProcess(Server):
    """`python -m services.<name>`; ready when it is assigned partitions."""

    def __init__(self, name: str, folder: Path, environment: dict[str, str]) -> None:
        (port,) = free_ports(1)
        self._ops = f"http://127.0.0.1:{port}"
        super().__init__(
            name, [sys.executable, "-m", f"services.{name}"], folder / f"{name}.log", self._answers,
            environment | {"VERACITY_METRICS_PORT": str(port), "VERACITY_THREADS": "1"},
        )

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        with urllib.request.urlopen(f"{self._ops}/metrics", timeout=5) as answer:  # noqa: S310 our own
            lines = answer.read().decode().splitlines()
        mine = [line for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
        return sum(float(line.rpartition(" ")[2]) for line in mine)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self._ops}/readyz", timeout=5) as answer:  # noqa: S310 our own
                return bool(answer.status == 200)
        except OSError:
            return False
