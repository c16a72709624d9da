"""The HTTP API as Python calls. Whatever goes wrong is a `Failure`."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, BinaryIO, Self
from urllib.parse import quote, urljoin, urlsplit

import httpx

from client.failure import Exit, Failure

API = "/api/v1"
Document = dict[str, Any]
Sent = Callable[[int, int], None]  # bytes so far, bytes in all
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)


@dataclass(frozen=True)
class Options:
    """What a submitter may choose; None leaves it to the service."""

    top_k: int | None = None
    idempotency_key: str | None = None

    def fields(self) -> dict[str, int]:
        return {} if self.top_k is None else {"top_k": self.top_k}

    def headers(self) -> dict[str, str]:
        return {} if self.idempotency_key is None else {"Idempotency-Key": self.idempotency_key}


def connect(url: str) -> "Service":
    return Service(url)


class Service:
    """One installation, at `url`. Every method may raise `Failure`."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        place = urlsplit(url)
        if place.scheme not in {"http", "https"} or not place.hostname:
            raise Failure(Exit.USAGE, "invalid_url", f"{url!r} is no http(s)://host[:port]")
        self.url = url.rstrip("/")
        self._http = httpx.Client(
            timeout=_TIMEOUT, transport=transport, headers={"User-Agent": "veracity-client"},
            trust_env=not _is_local(place.hostname),  # a proxy cannot reach this machine's own ports
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def submit_file(self, path: Path, options: Options, on_sent: Sent) -> Document:
        """Upload in pieces. Gives `job_id`, `status` and `status_url`."""
        try:
            with path.open("rb") as file:
                upload = _Counted(file, on_sent)
                return self._submit(
                    options, data=options.fields(), files={"file": (path.name, upload, _BYTES)}
                )
        except OSError as error:
            raise Failure(Exit.USAGE, "unreadable_file", f"{path}: {error.strerror}") from error

    def submit_url(self, video_url: str, options: Options) -> Document:
        return self._submit(options, json={"video_url": video_url, "options": options.fields()})

    def job(self, job_id: str) -> Document:
        """The whole job as the API gives it."""
        return self.document(job_path(job_id))

    def document(self, path: str) -> Document:
        with _reaching(self.url):
            return _document(self._http.get(self.absolute(path)))

    def probe(self, path: str) -> tuple[int, str]:
        """Status and text of any answer, whatever the status."""
        with _reaching(self.url):
            answer = self._http.get(self.absolute(path), timeout=5.0)
            return answer.status_code, answer.text

    def events(self, job_id: str, silence_s: float) -> Iterator[tuple[str, Document]]:
        """Server-sent events until the server ends them. Silence longer than `silence_s` is a `Failure`."""
        url = self.absolute(f"{job_path(job_id)}/events")
        timeout = httpx.Timeout(silence_s, connect=5.0)
        with _reaching(self.url), self._http.stream("GET", url, timeout=timeout) as answer:
            if answer.status_code != 200:
                answer.read()
                _document(answer)
            yield from _events(answer.iter_lines())

    @contextmanager
    def download(self, path: str) -> Iterator[Iterator[bytes]]:
        with _reaching(self.url), self._http.stream("GET", self.absolute(path)) as answer:
            if answer.status_code != 200:
                answer.read()
                _document(answer)
            yield answer.iter_bytes()

    def absolute(self, path: str) -> str:
        """A path that the API gave, as a URL on this installation; never on another."""
        joined = urljoin(f"{self.url}/", path.lstrip("/")) if "://" not in path else path
        if not joined.startswith(f"{self.url}/"):
            raise Failure(Exit.UNREACHABLE, "foreign_url", f"the service points elsewhere: {path}")
        return joined

    def _submit(self, options: Options, **body: Any) -> Document:
        url = self.absolute(f"{API}/jobs/analyze-video")
        with _reaching(self.url):
            return _document(self._http.post(url, headers=options.headers(), **body))


def job_path(job_id: str) -> str:
    return f"{API}/jobs/{quote(job_id, safe='')}"


_BYTES = "application/octet-stream"


class _Counted:
    """A file that tells how much of it was read."""

    def __init__(self, file: BinaryIO, on_sent: Sent) -> None:
        self._file, self._on_sent, self._sent = file, on_sent, 0
        self._size = os.fstat(file.fileno()).st_size

    def fileno(self) -> int:
        return self._file.fileno()

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self._sent += len(data)
        self._on_sent(self._sent, self._size)
        return data


@contextmanager
def _reaching(url: str) -> Iterator[None]:
    try:
        yield
    except httpx.TimeoutException as error:
        text = f"{url} did not answer in time; see veracity doctor"
        raise Failure(Exit.UNREACHABLE, "timeout", text) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        text = f"{url} is not reached ({error or type(error).__name__}); see veracity doctor"
        raise Failure(Exit.UNREACHABLE, "unreachable", text) from error


def _document(answer: httpx.Response) -> Document:
    """The JSON object of a success. Problem documents become `Failure`s with their own code."""
    try:
        document = answer.json()
    except ValueError:
        document = None
    if answer.is_success and isinstance(document, dict):
        return document
    problem = document if isinstance(document, dict) else {}
    code = str(problem.get("code") or f"http_{answer.status_code}")
    message = str(problem.get("detail") or problem.get("title") or f"HTTP {answer.status_code}")
    rejected = 400 <= answer.status_code < 500 and answer.status_code not in {408, 425, 429}
    raise Failure(Exit.REJECTED if rejected else Exit.UNREACHABLE, code, message)


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Document]]:
    """Each event's name and data; ("ping", {}) for what only keeps the line open."""
    data: list[str] = []
    name = "message"
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line == "":
            document = _loads("\n".join(data)) if data else None
            yield (name, document) if isinstance(document, dict) else ("ping", {})
            name, data = "message", []
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)


def _loads(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
