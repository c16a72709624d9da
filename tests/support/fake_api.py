"""The HTTP API as the client sees it, played by a script."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared.contracts.errors import ERRORS
from shared.contracts.example_view import JOB_VIEW

Document = dict[str, Any]
COMPLETED: Document = JOB_VIEW.model_dump(mode="json")
JOB = COMPLETED["job_id"]
RUNNING = COMPLETED | {
    "status": "running", "results": None, "progress": {"segments_done": 1, "segments_total": 2},
}
FAILED = COMPLETED | {
    "status": "failed", "results": None,
    "error": {"code": "unreadable_media", "message": ERRORS["unreadable_media"].sentence},
}


def problem(code: str, status: int) -> httpx.Response:
    about = {"type": f"urn:veracity:error:{code}", "title": "t"}
    body = about | {"status": status, "code": code, "detail": "why"}
    return httpx.Response(status, json=body, headers={"Content-Type": "application/problem+json"})


def told(*events: tuple[str, Document]) -> bytes:
    """Server-sent events, with the comments that keep a line open."""
    lines = [f"event: {name}\r\ndata: {json.dumps(data)}\r\n\r\n" for name, data in events]
    return (": ping\r\n\r\n" + "".join(lines)).encode()


def progress(done: int, status: str = "running") -> tuple[str, Document]:
    numbers = {"segments_done": done, "segments_total": 2, "windows_done": done * 20, "windows_total": 40}
    return "progress", {"status": status, **numbers}


@dataclass
class FakeApi:
    """Answers are taken from the lists; the last one stays. An exception is raised as a broken line."""

    submissions: list[httpx.Response | Exception] = field(default_factory=list)
    jobs: list[Document | httpx.Response | Exception] = field(default_factory=lambda: [COMPLETED])
    events: list[bytes | httpx.Response | Exception] = field(
        default_factory=lambda: [told(("done", COMPLETED))]
    )
    files: dict[str, bytes] = field(default_factory=dict)
    ready: httpx.Response = field(default_factory=lambda: httpx.Response(200, json={"ready": True}))
    requests: list[httpx.Request] = field(default_factory=list)

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def with_files(self, files: dict[str, bytes]) -> Document:
        """A completed job with these artifacts."""
        self.files = files
        listed = [
            {"name": name, "url": f"/api/v1/jobs/{JOB}/artifacts/{number}", "media_type": "image/png",
             "sha256": hashlib.sha256(data).hexdigest()}
            for number, (name, data) in enumerate(files.items())
        ]
        job = COMPLETED | {"results": COMPLETED["results"] | {"artifacts": listed}}
        self.jobs = [job]
        return job

    def _answer(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        match request.url.path.removeprefix("/api/v1").strip("/").split("/"):
            case ["jobs", "analyze-video"]:
                return _next(self.submissions) if self.submissions else _accepted()
            case ["jobs", _]:
                return _next(self.jobs)
            case ["jobs", _, "events"]:
                return _next(self.events)
            case ["jobs", _, "artifacts", number]:
                return httpx.Response(200, content=list(self.files.values())[int(number)])
            case ["healthz"]:
                return httpx.Response(200, json={"alive": True})
            case ["readyz"]:
                return self.ready
            case ["openapi.json"]:
                return httpx.Response(200, json={"info": {"title": "Veracity", "version": "1"}})
        return problem("not_found", 404)


def _accepted() -> httpx.Response:
    return httpx.Response(
        202, json={"job_id": JOB, "status": "pending", "status_url": f"/api/v1/jobs/{JOB}"}
    )


def _next(script: list[Any]) -> httpx.Response:
    answer = script.pop(0) if len(script) > 1 else script[0]
    if isinstance(answer, Exception):
        raise answer
    if isinstance(answer, httpx.Response):
        return answer
    if isinstance(answer, bytes):
        return httpx.Response(200, content=_pieces(answer), headers={"Content-Type": "text/event-stream"})
    return httpx.Response(200, json=answer)


def _pieces(data: bytes) -> Iterator[bytes]:
    """In small pieces, as a network may."""
    for start in range(0, len(data), 7):
        yield data[start : start + 7]
