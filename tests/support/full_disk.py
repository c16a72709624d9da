"""An object store whose disk can be filled and emptied: a proxy in front of a real one."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_FULL = (
    b"<Error><Code>XMinioStorageFull</Code><Message>Storage backend has reached its minimum free drive "
    b"threshold.</Message></Error>"
)
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}


@dataclass
class Disk:
    """While `full` is set every write is refused as MinIO does; `refused` counts them."""

    endpoint: str
    full: threading.Event = field(default_factory=threading.Event)
    refused: int = 0


@contextmanager
def disk_of(upstream: str) -> Iterator[Disk]:
    """Passes everything on to the S3 server at `upstream`, whose signatures cover the Host as sent."""
    host = urlsplit(upstream).netloc
    disk = Disk("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.command in ("PUT", "POST") and disk.full.is_set():
                disk.refused += 1
                self.answer(507, [("Content-Type", "application/xml")], _FULL)
                return
            link = http.client.HTTPConnection(host, timeout=30)
            try:
                link.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    link.putheader(name, value)
                link.endheaders(body)
                reply = link.getresponse()
                self.answer(reply.status, reply.getheaders(), reply.read())
            finally:
                link.close()

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on

        def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response_only(status)
            kept = [(name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP]
            for name, value in kept:
                self.send_header(name, value)
            if not any(name.lower() == "content-length" for name, _ in kept):
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True  # clients keep their connections
    disk.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield disk
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
