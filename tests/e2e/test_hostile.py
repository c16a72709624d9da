"""Hundreds of malformed files through the front door: each gets an answer, and nobody is harmed."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from shared.contracts.errors import ERRORS
from shared.contracts.job_view import JobView
from shared.messaging.dead_letters import dead_letters
from tests.support.clip_files import FPS, RATE, Frames, Samples, write_clip
from tests.support.local_stack import LocalStack
from tests.support.malformed import malformed
from tests.support.stack_client import StackClient, accepted, problem

pytestmark = pytest.mark.stack
AT_ONCE = 8
WITHIN_S = 240.0


@pytest.mark.timeout(WITHIN_S + 120)
def test_each_of_hundreds_of_malformed_files_gets_an_answer_and_harms_nobody(
    stack: LocalStack, client: StackClient, demo: tuple[Frames, Samples]
) -> None:
    frames, samples = demo
    files = malformed(write_clip(frames[:FPS], samples[:RATE]))
    assert len(files) >= 200
    pids, letters = stack.pids(), len(list(dead_letters(stack.kafka)))
    deadline = time.monotonic() + WITHIN_S

    def send(content: bytes) -> str:
        try:
            answer = client.post(content)
            if 400 <= answer.status_code < 500:
                return "" if problem(answer) else "no code"
            return unfit(client.finished(accepted(answer), deadline - time.monotonic()))
        except (AssertionError, httpx.HTTPError) as error:
            return repr(error)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = dict(zip(files, pool.map(send, files.values()), strict=True))
    assert {name: why for name, why in outcomes.items() if why} == {}
    good = client.finished(client.submit(write_clip(frames, samples)))
    assert good.status == "completed" and good.results and not good.results.degraded
    assert stack.pids() == pids, "a service or a server died"
    assert len(list(dead_letters(stack.kafka))) == letters, "bad media became dead letters"


def unfit(job: JobView) -> str:
    """What is wrong with how the job ended, "" if nothing."""
    if job.status == "failed":
        if job.error is None or job.error.code not in ERRORS or not job.error.message:
            return f"failed with {job.error}"
    elif job.status == "completed":
        reasons = [part.reason for part in job.results.degraded] if job.results else ["no results"]
        strange = [reason for reason in reasons if reason not in ERRORS]
        if strange:
            return f"completed with {strange}"
    else:
        return f"ended as {job.status}"
    return ""
