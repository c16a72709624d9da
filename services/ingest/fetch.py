"""Fetching a stranger's URL: pinned to checked addresses, bounded in bytes and in time.

The name is resolved once, all its addresses are checked, and the connection goes to one of them, so
that a second answer of the resolver cannot lead elsewhere; TLS and Host still use the name.
"""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urljoin

import httpcore

from services.ingest.url_policy import Address, UrlPolicy
from shared.contracts.outcomes import BadMedia

Resolver = Callable[[str, int], Sequence[Address]]
REDIRECTS = 2
_MOVED = {301, 302, 303, 307, 308}
_HEADERS = {
    "Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "veracity/1", "Connection": "close",
}


def resolve(host: str, port: int) -> Sequence[Address]:
    """The addresses of `host`, by the system's resolver. Raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found]


@dataclass(frozen=True)
class Fetcher:
    """`total_s` is for everything, names and redirects included; `stall_s` for one silence."""

    max_bytes: int
    total_s: float
    stall_s: float
    policy: UrlPolicy = UrlPolicy()
    resolver: Resolver = resolve
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    @contextmanager
    def open(self, url: str) -> Iterator[Iterator[bytes]]:
        """The body, in pieces. Raises `BadMedia`: url_forbidden, fetch_failed, fetch_timeout, too_large."""
        clock = _Clock(time.monotonic() + self.total_s, self.stall_s)
        with _named_failures():
            for _ in range(REDIRECTS + 1):
                target = self.policy.check(url)
                backend = _Pinned(self, clock)
                address = httpcore.URL(scheme=b"https", host=target.host.encode(), port=target.port,
                                       target=target.path.encode())
                with (
                    httpcore.ConnectionPool(self.tls, network_backend=backend, max_connections=1) as pool,
                    pool.stream("GET", address, headers=list(_HEADERS.items())) as response,
                ):
                    if response.status not in _MOVED:
                        yield self._body(response)
                        return
                    url = urljoin(url, _header(response, b"location"))
        raise BadMedia("fetch_failed", f"more than {REDIRECTS} redirects")

    def _body(self, response: httpcore.Response) -> Iterator[bytes]:
        if response.status != 200:
            raise BadMedia("fetch_failed", f"the host answered {response.status}")
        if _header(response, b"content-encoding") not in ("", "identity"):
            raise BadMedia("fetch_failed", "the host sent it compressed, unasked")
        length = _header(response, b"content-length")
        if length.isdigit() and int(length) > self.max_bytes:
            raise BadMedia("too_large", f"{length} bytes")
        return self._capped(response.iter_stream())

    def _capped(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        size = 0
        with _named_failures():
            for piece in pieces:
                size += len(piece)
                if size > self.max_bytes:
                    raise BadMedia("too_large", f"more than {self.max_bytes} bytes")
                yield piece


@contextmanager
def _named_failures() -> Iterator[None]:
    try:
        yield
    except httpcore.TimeoutException as error:
        raise BadMedia("fetch_timeout") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise BadMedia("fetch_failed", f"{type(error).__name__}: {str(error)[:200]}") from error


def _header(response: httpcore.Response, name: bytes) -> str:
    for key, value in response.headers:
        if key.lower() == name:
            return bytes(value).decode("latin-1").strip()
    return ""


@dataclass(frozen=True)
class _Clock:
    deadline: float
    stall_s: float

    def left(self) -> float:
        """How long the next operation may take."""
        left = min(self.deadline - time.monotonic(), self.stall_s)
        if left <= 0:
            raise httpcore.ReadTimeout("out of time")
        return left


class _Pinned(httpcore.NetworkBackend):
    def __init__(self, fetcher: Fetcher, clock: _Clock) -> None:
        self._fetcher, self._clock = fetcher, clock
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._resolved(host, port)
        self._fetcher.policy.check_addresses(addresses)
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses[:4]:
            try:
                return _Timed(self._sockets.connect_tcp(str(address), port, self._clock.left()), self._clock)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _resolved(self, host: str, port: int) -> Sequence[Address]:
        """Resolvers take no time limit: one that hangs is left behind in its thread."""
        answer: SimpleQueue[Sequence[Address] | Exception] = SimpleQueue()

        def ask() -> None:
            try:
                answer.put(self._fetcher.resolver(host, port))
            except Exception as error:
                answer.put(error)

        threading.Thread(target=ask, name="resolve", daemon=True).start()
        try:
            found = answer.get(timeout=self._clock.left())
        except Empty as error:
            raise httpcore.ConnectTimeout("the resolver does not answer") from error
        if isinstance(found, Exception):
            raise httpcore.ConnectError(f"{host}: {found}") from found
        return found


class _Timed(httpcore.NetworkStream):
    """Every operation ends before the deadline, and so does their sum."""

    def __init__(self, inner: httpcore.NetworkStream, clock: _Clock) -> None:
        self._inner, self._clock = inner, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._clock.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._clock.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Timed(self._inner.start_tls(ssl_context, server_hostname, self._clock.left()), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
