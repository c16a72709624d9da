"""The stack as another team's program uses it: HTTP in, HTTP out."""

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

import httpx

from shared.contracts.errors import ERRORS
from shared.contracts.job_view import AcceptedView, JobView

PATH = "/api/v1/jobs"
TERMINAL = {"completed", "failed", "cancelled"}
T = TypeVar("T")


def wait_for(ask: Callable[[], T | None], what: str, within_s: float, every_s: float = 0.2) -> T:
    """What `ask` gives as soon as that is something true. Raises `AssertionError` after `within_s`."""
    deadline, pause = time.monotonic() + within_s, Event()
    while not (found := ask()):
        assert time.monotonic() < deadline, f"{what}: not within {within_s:.0f} s"
        pause.wait(every_s)
    return found


class StackClient:
    """Safe from several threads."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=60, trust_env=False)

    def post(
        self, data: bytes, name: str = "clip.mp4", key: str | None = None, **options: str
    ) -> httpx.Response:
        """An upload, as it is answered."""
        headers = {"Idempotency-Key": key} if key else {}
        files = {"file": (name, data, "video/mp4")}
        return self.http.post(f"{PATH}/analyze-video", files=files, data=options, headers=headers)

    def post_url(self, url: str) -> httpx.Response:
        return self.http.post(f"{PATH}/analyze-video", json={"video_url": url})

    def submit(self, data: bytes, name: str = "clip.mp4", key: str | None = None, **options: str) -> str:
        """The job's id; an upload that must be taken."""
        return accepted(self.post(data, name, key, **options))

    def job(self, job_id: str) -> JobView:
        answer = self.http.get(f"{PATH}/{job_id}")
        answer.raise_for_status()
        return JobView.model_validate(answer.json())

    def finished(self, job_id: str, within_s: float = 120) -> JobView:
        """The job once it has ended. The service may be away in between."""

        def ask() -> JobView | None:
            try:
                job = self.job(job_id)
            except httpx.HTTPError:
                return None
            return job if job.status in TERMINAL else None

        return wait_for(ask, f"the end of job {job_id}", within_s)

    def close(self) -> None:
        self.http.close()


def accepted(answer: httpx.Response) -> str:
    assert answer.status_code == 202, answer.text
    return AcceptedView.model_validate(answer.json()).job_id


def problem(answer: httpx.Response) -> str:
    """The code of a refusal, which must be a problem document with a stable code and a sentence."""
    assert answer.status_code >= 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] in ERRORS and body["status"] == answer.status_code, body
    assert body["title"] == ERRORS[body["code"]].sentence and body["detail"], body
    return str(body["code"])
