"""A server that answers badly, slowly or not at all."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from shared.contracts.outcomes import Transient
from shared.storage import ObjectStore, S3Settings, open_store


def store_at(port: int) -> ObjectStore:
    return open_store(
        S3Settings.model_validate(
            {
                "endpoint": f"http://127.0.0.1:{port}", "access_key": "key", "secret_key": "secret",
                "connect_timeout_s": 0.5, "read_timeout_s": 0.5,
            }
        )
    )


@contextmanager
def answering(status: int, body: bytes, *, promised: int | None = None) -> Iterator[ObjectStore]:
    """A store whose every answer is this one; `promised` bytes are announced, and fewer sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body) if promised is None else promised))
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_POST = do_DELETE = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield store_at(server.server_port)
        finally:
            server.shutdown()
            thread.join()


def error_xml(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>words</Message></Error>".encode()


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (507, "XMinioStorageFull", "disk is full"),
        (503, "SlowDownWrite", "overloaded"),
        (503, "XMinioServerNotInitialized", "starting"),
        (500, "InternalError", "InternalError"),
    ],
)
def test_a_server_error_is_transient_and_named(status: int, code: str, words: str) -> None:
    with answering(status, error_xml(code)) as store:
        for call in (lambda: store.put("a", b"x"), lambda: store.get("a")):
            with pytest.raises(Transient, match=words):
                call()


def test_a_page_of_something_else_is_named() -> None:
    with answering(502, b"<html>bad gateway</html>") as store, pytest.raises(Transient):
        store.get("a")


def test_an_answer_that_is_cut_off_is_transient() -> None:
    with answering(200, b"only this", promised=1000) as store, pytest.raises(Transient, match="unreachable"):
        store.get("a")


def test_a_server_that_never_answers_is_noticed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = store_at(silent.getsockname()[1])
        started = time.monotonic()
        with pytest.raises(Transient, match="ReadTimeoutError"):
            store.get("a")
        assert time.monotonic() - started < 5
        assert not store.healthy()
