"""What loops, producers and readers do while the broker is away."""

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.kafka import KafkaServer
from deploy.local.ports import free_ports
from shared.contracts.codec import Message
from shared.contracts.jobs import Cancelled
from shared.contracts.outcomes import Transient
from shared.messaging.admin import wait_for_broker
from shared.messaging.handlers import Task, one_by_one
from shared.messaging.producer import Producer
from shared.messaging.reader import LogReader
from shared.messaging.settings import KafkaSettings
from tests.support.messaging import FAST, PATIENCE_S, Rig, eventually, rig
from tests.support.messaging_service import service

pytestmark = pytest.mark.kafka
JOBS = 12


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """A broker that no other test relies on."""
    with KafkaServer(tmp_path_factory.mktemp("kafka"), *free_ports(2)) as started:
        yield started


@pytest.fixture
def on(server: KafkaServer) -> Iterator[Rig]:
    with rig(KafkaSettings(bootstrap_servers=server.bootstrap), 4, mock=False) as made:
        yield made


def test_work_goes_on_after_the_broker_was_killed(server: KafkaServer, on: Rig) -> None:
    on.send_jobs(JOBS)
    begun, hold = threading.Event(), threading.Event()

    def handle(task: Task) -> Iterator[Message]:
        begun.set()
        hold.wait(PATIENCE_S)
        yield Cancelled(job_id=task.job_id)

    with on.loop(one_by_one(handle), replace(FAST, queue=4)) as running:
        assert begun.wait(PATIENCE_S)
        server.kill()
        seen = running.health.ticks
        hold.set()
        eventually(lambda: running.health.ticks > seen + 50, "polls without a broker")
        assert running.health.live() == (True, [])
        assert not running.ended
        server.start()
        wait_for_broker(on.kafka, PATIENCE_S)
        eventually(on.all_committed, "all committed")
    assert set(on.outputs()) == {on.job(n) for n in range(JOBS)}


def test_a_frozen_broker_does_not_keep_a_service_from_ending(
    server: KafkaServer, on: Rig, tmp_path: Path
) -> None:
    on.send_jobs(JOBS)
    with service(on, hold_job="none", hold_file=tmp_path / "none") as (process, lines):
        eventually(lambda: len(lines) == JOBS, "all handled")
        assert server.pid is not None
        os.kill(server.pid, signal.SIGSTOP)
        try:
            process.terminate()
            assert process.wait(PATIENCE_S) == 0
        finally:
            os.kill(server.pid, signal.SIGCONT)
    wait_for_broker(on.kafka, PATIENCE_S)


def test_an_absent_broker_is_transient(server: KafkaServer, on: Rig) -> None:
    (port,) = free_ports(1)
    nowhere = KafkaSettings(bootstrap_servers=f"127.0.0.1:{port}")
    producer = Producer(nowhere, "tests", delivery_timeout_s=1)
    with pytest.raises(Transient):
        producer.send_and_wait([on.event(0)], 0.5)
    producer.close(3)
    with pytest.raises(Transient):
        LogReader(nowhere, [on.topic], {}, timeout_s=0.5)
    with pytest.raises(Transient):
        wait_for_broker(nowhere, 0.5)


def test_a_reader_outlives_the_broker(server: KafkaServer, on: Rig) -> None:
    on.send_jobs(2)
    with LogReader(on.kafka, [on.topic], {}) as reader:
        assert len(list(reader.read_to_end(PATIENCE_S))) == 2
        server.kill()
        assert reader.poll(0.5) == []
        with pytest.raises(Transient):
            reader.end_offsets(0.5)
        server.start()
        on.send_jobs(2)
        eventually(lambda: bool(reader.poll(0.2)), "the new records")
