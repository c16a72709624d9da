"""Liveness (every loop ticked lately), readiness (every named part is ready), and their HTTP server.

Liveness never asks a broker or a store: an outage there must not restart pods.
"""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Answer = tuple[int, str, bytes]  # HTTP status, content type, body


class Health:
    """Thread-safe. A part that never ticked is not judged: startup is readiness' business."""

    def __init__(self, max_age_s: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_age_s, self._clock = max_age_s, clock
        self._ticks: dict[str, float] = {}
        self._ready: dict[str, bool] = {}
        self._lock = threading.Lock()

    def tick(self, name: str = "loop") -> None:
        """`name` is alive now; it must tick again within `max_age_s`."""
        with self._lock:
            self._ticks[name] = self._clock()

    def done(self, name: str = "loop") -> None:
        """`name` ended on purpose: it need not tick and is not ready."""
        with self._lock:
            self._ticks.pop(name, None)
            self._ready[name] = False

    def set_ready(self, name: str, ready: bool) -> None:
        """Name a part with False early: the service is ready when every named part is."""
        with self._lock:
            self._ready[name] = ready

    def live(self) -> tuple[bool, list[str]]:
        """(alive, reasons why not)."""
        with self._lock:
            now = self._clock()
            late = {n: now - t for n, t in self._ticks.items() if now - t > self._max_age_s}
        return not late, [f"{name} has not ticked for {age:.0f} s" for name, age in sorted(late.items())]

    def ready(self) -> tuple[bool, list[str]]:
        """(ready, reasons why not); not ready before any part was named."""
        with self._lock:
            missing = [f"{name} is not ready" for name, ready in sorted(self._ready.items()) if not ready]
            return bool(self._ready) and not missing, missing or ([] if self._ready else ["starting"])

    def answer(self, path: str) -> Answer | None:
        """What to answer on /metrics, /healthz and /readyz; None for any other path."""
        if path == "/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest()
        if path not in ("/healthz", "/readyz"):
            return None
        good, reasons = self.live() if path == "/healthz" else self.ready()
        body = json.dumps({"status": "ok" if good else "unavailable", "reasons": reasons})
        return 200 if good else 503, "application/json", body.encode()


class OpsServer:
    """A running server of the three paths; `port` is the one it got."""

    def __init__(self, health: Health, host: str, port: int) -> None:
        self._server = ThreadingHTTPServer((host, port), _request_handler(health))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="ops", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve(health: Health, port: int, host: str = "0.0.0.0") -> OpsServer:  # noqa: S104 a pod's probes come from outside
    """Serves /metrics, /healthz and /readyz in a background thread; port 0 takes a free one."""
    return OpsServer(health, host, port)


def _request_handler(health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            not_found: Answer = (404, "application/json", b'{"status": "not found"}')
            status, content_type, body = health.answer(self.path.partition("?")[0]) or not_found
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Probes every few seconds are noise."""

    return Handler
