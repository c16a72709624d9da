"""An https server on this machine that behaves as badly as it is asked to by the path."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

CERTIFICATE = Path(__file__).with_name("clips_example.pem")  # for clips.example; worth nothing elsewhere
CONTENT = bytes(range(256)) * 400


@dataclass
class ClipsServer:
    """`seen`: (SNI, Host, path) of each request. `released` ends the answers that never end."""

    port: int = 0
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    released: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str, host: str = "clips.example") -> str:
        return f"https://{host}:{self.port}{path}"

    @staticmethod
    def trust() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(CERTIFICATE))


@contextmanager
def clips_server() -> Iterator[ClipsServer]:
    clips = ClipsServer()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    names: list[str] = []
    context.sni_callback = lambda _, name, __: names.append(name or "")
    server = _Server(("127.0.0.1", 0), _handler(clips, names))
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    clips.port = int(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield clips
    finally:
        clips.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what the tests are about."""


def _handler(clips: ClipsServer, names: list[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place = urlsplit(self.path)
            clips.seen.append((names[-1] if names else "", self.headers["Host"], self.path))
            clips.headers = {name.lower(): value for name, value in self.headers.items()}
            behave = getattr(self, place.path.strip("/").replace("-", "_"), None)
            if behave is None:
                self.answer(404)
            else:
                behave(parse_qs(place.query))

        def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def clip(self, query: dict[str, list[str]]) -> None:
            self.answer(200, CONTENT)

        def move(self, query: dict[str, list[str]]) -> None:
            self.answer(302, Location=query["to"][0])

        def compressed(self, query: dict[str, list[str]]) -> None:
            self.answer(200, CONTENT, Content_Encoding="gzip")

        def says_huge(self, query: dict[str, list[str]]) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(10**12))
            self.end_headers()

        def cut_off(self, query: dict[str, list[str]]) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"short")

        def endless(self, query: dict[str, list[str]]) -> None:
            self.send_response(200)
            self.end_headers()
            while not clips.released.is_set():
                self.wfile.write(CONTENT)

        def silent(self, query: dict[str, list[str]]) -> None:
            clips.released.wait(30)

        def dripping(self, query: dict[str, list[str]]) -> None:
            self.send_response(200)
            self.end_headers()
            while not clips.released.wait(0.05):
                self.wfile.write(b"x")

        def dripping_headers(self, query: dict[str, list[str]]) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not clips.released.wait(0.05):
                self.wfile.write(b"x")

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler
