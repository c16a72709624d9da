"""A job as it goes on: told by the server's events, asked for where those fail."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from client.failure import Exit, Failure
from client.service import Document, Service

TERMINAL = frozenset({"completed", "failed", "cancelled"})
SILENCE_S = 30.0
POLL_S = 1.0
PATIENCE_S = 30.0  # how long the service may be away before the client gives up


@dataclass(frozen=True)
class Step:
    """How far the job is. `job` is the whole document, once it has ended."""

    status: str
    segments_done: int = 0
    segments_total: int | None = None
    windows_done: int = 0
    windows_total: int | None = None
    job: Document | None = None


def follow(service: Service, job_id: str, timeout_s: float) -> Iterator[Step]:
    """Steps until the job has ended. Raises `Failure`: `out_of_time`, or what the service says."""
    deadline = time.monotonic() + timeout_s
    reached = time.monotonic()
    while True:
        try:
            for step in _told(service, job_id, deadline):
                reached = time.monotonic()
                yield step
                if step.job is not None:
                    return
            step = _asked(service, job_id)
            reached = time.monotonic()
            yield step
            if step.job is not None:
                return
        except Failure as failure:
            if failure.exit_status is not Exit.UNREACHABLE or failure.code == "out_of_time":
                raise
            if time.monotonic() - reached > PATIENCE_S:
                raise
        _in_time(job_id, deadline)
        time.sleep(min(POLL_S, max(0.0, deadline - time.monotonic())))


def _told(service: Service, job_id: str, deadline: float) -> Iterator[Step]:
    """What the events say until they end or break off."""
    try:
        silence = min(SILENCE_S, max(0.1, deadline - time.monotonic()))
        for name, document in service.events(job_id, silence):
            if name == "done":
                yield _ended(document)
                return
            if name == "progress":
                yield _progress(document)
            _in_time(job_id, deadline)
    except Failure as failure:
        if failure.exit_status is not Exit.UNREACHABLE or failure.code == "out_of_time":
            raise


def _asked(service: Service, job_id: str) -> Step:
    job = service.job(job_id)
    if job.get("status") in TERMINAL:
        return _ended(job)
    return _progress({"status": job.get("status"), **(job.get("progress") or {})})


def _ended(job: Document) -> Step:
    progress = job.get("progress") or {}
    done, total = progress.get("segments_done") or 0, progress.get("segments_total")
    return Step(str(job.get("status")), done, total, job=job)


def _progress(document: Document) -> Step:
    return Step(
        str(document.get("status")), document.get("segments_done") or 0, document.get("segments_total"),
        document.get("windows_done") or 0, document.get("windows_total"),
    )


def _in_time(job_id: str, deadline: float) -> None:
    if time.monotonic() >= deadline:
        text = f"the job goes on without this client: veracity watch {job_id}"
        raise Failure(Exit.UNREACHABLE, "out_of_time", text)
