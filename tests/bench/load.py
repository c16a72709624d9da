"""Asking the running stack for work, and knowing when it is done."""

import time
from collections.abc import Sequence

import httpx

from shared.contracts.topics import WINDOW_SCORES
from shared.messaging.reader import LogReader
from tests.chaos.load import Verdicts, wait_for
from tests.support.local_stack import LocalStack

ANALYZE = "/api/v1/jobs/analyze-video"


def submit(url: str, data: bytes, *, explain: bool) -> str:
    """The job's id."""
    answer = httpx.post(
        f"{url}{ANALYZE}", files={"file": ("clip.mp4", data, "video/mp4")},
        data={"explain": str(explain).lower()}, timeout=30,
    )
    return str(answer.raise_for_status().json()["job_id"])


def seconds_to_verdicts(stack: LocalStack, clips: Sequence[bytes], timeout_s: float) -> float:
    """From the first submission to the last verdict, all clips submitted at once, nothing explained."""
    verdicts = Verdicts(stack.kafka)
    with verdicts.follow():
        began = time.monotonic()
        jobs = [submit(stack.url, clip, explain=False) for clip in clips]
        wait_for(lambda: verdicts.have(jobs) == len(jobs), "verdicts", timeout_s, every_s=0.02)
        return time.monotonic() - began


def seconds_to_first_score(stack: LocalStack, clip: bytes, timeout_s: float = 120) -> float:
    """From submitting to the first window score of that job."""
    with LogReader(stack.kafka, [WINDOW_SCORES.name], {}) as reader:
        list(reader.read_to_end(10))
        began = time.monotonic()
        job = submit(stack.url, clip, explain=False).encode()
        wait_for(lambda: any(r.key == job for r in reader.poll(0.05)), "a score", timeout_s, every_s=0)
        return time.monotonic() - began


def seconds_to_completion(stack: LocalStack, clip: bytes, timeout_s: float = 1800) -> float:
    """From submitting to `completed` with its pictures, as a client sees it."""
    began = time.monotonic()
    status_url = f"{stack.url}/api/v1/jobs/{submit(stack.url, clip, explain=True)}"

    def ended() -> bool:
        status = httpx.get(status_url, timeout=10).raise_for_status().json()["status"]
        if status in ("failed", "cancelled"):
            raise RuntimeError(f"the job {status}")
        return bool(status == "completed")

    wait_for(ended, "the job", timeout_s, every_s=0.2)
    return time.monotonic() - began
