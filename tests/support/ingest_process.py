"""Replicas of ingest as processes of their own, on real servers."""

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

import httpx

from deploy.local.ports import free_ports
from deploy.local.process import Server

LIMIT_BYTES = 20_000_000


class Replica(Server):
    """One ingest process; `http` talks to it. A context manager."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.Client(base_url=self.url, timeout=30, trust_env=False)
        super().__init__(
            "ingest", [sys.executable, "-m", "services.ingest"], folder / "ingest.log", self._is_ready,
            environment | {
                "VERACITY_HTTP_HOST": "127.0.0.1", "VERACITY_HTTP_PORT": str(port),
                "VERACITY_STATE_DIR": str(folder / "state"), "VERACITY_BUNDLE": "compact",
                "VERACITY_LIMIT_MAX_BYTES": str(LIMIT_BYTES), "VERACITY_PLANNER_WORKERS": "2",
                "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            },
        )

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:  # noqa: S310 our own
                return bool(answer.status == 200)
        except OSError:
            return False

    def _end(self, *how: object) -> None:
        self.http.close()
        super()._end(*how)  # type: ignore[arg-type]
