"""Servers go silent, services are told to stop or killed, with jobs under way: nothing is lost."""

import os
import signal
import time

import pytest

from tests.support.clip_files import Frames, Samples, repeated, write_clip
from tests.support.faults import (
    frozen,
    none_lost,
    one_verdict_each,
    pause,
    refusal_within,
    scored,
    stopped,
    under_way,
)
from tests.support.local_stack import LocalStack
from tests.support.stack_client import StackClient, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
OUTAGE_S = 60.0
SOON_S = 15.0  # within which a submission is refused while a dependency is away
SERVICES = ("ingest", "audio_worker", "video_worker", "fusion", "explain")


@pytest.fixture(scope="module")
def clip(demo: tuple[Frames, Samples]) -> bytes:
    """40 s: long enough to be caught in the middle."""
    return write_clip(*repeated(*demo, 40))


@pytest.mark.parametrize("away", ["kafka", "minio"])
def test_a_server_that_is_gone_for_a_minute_costs_nothing_but_time(
    stack: LocalStack, client: StackClient, clip: bytes, away: str
) -> None:
    services = {name: pid for name, pid in stack.pids().items() if name in SERVICES}
    jobs = [client.submit(clip) for _ in range(4)]
    under_way(client, jobs[0])
    with frozen(stack.pids()[away]) if away == "kafka" else stopped(stack, away):
        back_at = time.monotonic() + OUTAGE_S
        wait_for(lambda: client.post(clip).status_code == 503, "a refusal", SOON_S)
        refusal_within(client, clip, SOON_S)
        pause(back_at - time.monotonic())
    none_lost(client, jobs)
    one_verdict_each(stack, jobs)
    wait_for(lambda: client.post(clip[:9]).status_code < 500, "the door open again", 30)
    assert stack.pids().items() >= services.items(), "a service did not live through the outage"


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_that_ends_in_the_middle_of_a_job_loses_nothing(
    stack: LocalStack, client: StackClient, clip: bytes, name: str, sign: signal.Signals
) -> None:
    jobs = [client.submit(clip)]
    if name == "explain":
        scored(client, jobs[0])
    else:
        under_way(client, jobs[0])
    before = stack.pids()[name]
    os.kill(before, sign)
    none_lost(client, jobs)
    one_verdict_each(stack, jobs)
    wait_for(lambda: stack.pids().get(name, before) != before, f"a new {name}", 60)
