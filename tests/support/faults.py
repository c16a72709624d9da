"""What goes wrong around a stack: silent servers, killed services, jobs caught in the middle."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event

from shared.contracts.job_view import JobView
from shared.contracts.topics import VERDICTS
from shared.messaging.reader import LogReader
from tests.support.local_stack import LocalStack
from tests.support.stack_client import StackClient, problem, wait_for


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """A server that takes connections and answers nothing: the hardest kind of absence to notice."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def stopped(stack: LocalStack, name: str) -> Iterator[None]:
    """A server that refuses connections."""
    stack.stop(name)
    try:
        yield
    finally:
        stack.start(name)


def under_way(client: StackClient, job_id: str) -> JobView:
    """The job as soon as it is planned, which must be before it has ended."""

    def ask() -> JobView | None:
        job = client.job(job_id)
        return job if job.status != "pending" else None

    job = wait_for(ask, f"the plan of {job_id}", 60, every_s=0.02)
    assert job.status == "running", "it ended before it could be disturbed"
    return job


def scored(client: StackClient, job_id: str) -> JobView:
    """The job as soon as all its windows are scored: explaining is what is left."""

    def ask() -> JobView | None:
        job = client.job(job_id)
        return job if job.progress.segments_done == job.progress.segments_total else None

    return wait_for(ask, f"the scores of {job_id}", 120, every_s=0.02)


def refusal_within(client: StackClient, data: bytes, within_s: float) -> None:
    """A submission is refused for now, soon, with the time after which to ask again."""
    began = time.monotonic()
    answer = client.post(data)
    assert time.monotonic() - began < within_s
    assert (answer.status_code, problem(answer)) == (503, "not_ready")
    assert int(answer.headers["Retry-After"]) > 0




def none_lost(client: StackClient, jobs: Sequence[str], within_s: float = 180) -> None:
    """All of them complete."""
    ended = [client.finished(job, within_s) for job in jobs]
    assert {job.job_id: job.error for job in ended if job.status != "completed"} == {}


def one_verdict_each(stack: LocalStack, jobs: Sequence[str]) -> None:
    """Repeats are allowed where they are identical."""
    found: dict[str, set[bytes]] = {job: set() for job in jobs}
    with LogReader(stack.kafka, [VERDICTS.name], {}, timeout_s=30) as reader:
        for record in reader.read_to_end(30):
            if (job := (record.key or b"").decode()) in found:
                found[job].add(record.value or b"")
    assert {job: len(verdicts) for job, verdicts in found.items()} == dict.fromkeys(jobs, 1)


def pause(seconds: float) -> None:
    """The length of an outage is what a test is about: it is waited out."""
    Event().wait(seconds)
