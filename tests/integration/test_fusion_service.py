"""The running service on real Kafka: Faust, its table and its commits, killed and started again."""

import asyncio
import shutil
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from os import kill
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest

from deploy.local.kafka import KafkaServer
from deploy.local.ports import free_ports
from deploy.local.process import NotReady, wait_until
from services.fusion.step import Fusion
from shared.contracts.base import Event
from shared.contracts.codec import encode
from shared.contracts.embeddings import Embedding
from shared.contracts.jobs import Cancelled, DeadlinePassed
from shared.contracts.records import Outgoing
from shared.contracts.results import Verdict
from shared.contracts.topics import DEAD_LETTERS, VERDICTS, WINDOW_SCORES
from shared.messaging.admin import create_topics
from shared.messaging.limits import DeadLetterRatio
from shared.messaging.loop_settings import LoopSettings
from shared.messaging.producer import Producer
from shared.messaging.reader import LogReader
from shared.messaging.settings import KafkaSettings
from tests.support.fusion_fakes import FakeJudge, MemoryPorts, embedding, embeddings, plan, record
from tests.support.fusion_process import FusionProcess

pytestmark = pytest.mark.kafka
Messages = Sequence[Event | Embedding]
WAIT_S = 60.0


class Log:
    """What the service has published, by topic and job."""

    def __init__(self, kafka: KafkaSettings) -> None:
        topics = [VERDICTS.name, WINDOW_SCORES.name, DEAD_LETTERS.name]
        self._reader = LogReader(kafka, topics, {})
        self._found: dict[tuple[str, str], list[bytes]] = defaultdict(list)

    def of(self, topic: str, job_id: str) -> list[bytes]:
        for r in self._reader.poll(0.2):
            self._found[r.topic, (r.key or b"").decode("utf-8", "replace")].append(r.value or b"")
        return self._found[topic, job_id]

    def verdicts(self, job_id: str) -> list[bytes]:
        return self.of(VERDICTS.name, job_id)

    def wait(self, condition: Callable[[], bool]) -> None:
        assert wait_until(condition, WAIT_S), f"not within {WAIT_S} s"

    def close(self) -> None:
        self._reader.close()


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaSettings]:
    """A broker of these tests' own: records that others made with another bundle are dead letters here,
    and too many of them rightly stop the service."""
    with KafkaServer(tmp_path_factory.mktemp("kafka"), *free_ports(2)) as server:
        settings = KafkaSettings(bootstrap_servers=server.bootstrap)
        create_topics(settings)
        yield settings


@pytest.fixture(scope="module")
def producer(kafka: KafkaSettings) -> Iterator[Producer]:
    made = Producer(kafka, "test-fusion")
    yield made
    made.close(10)


@pytest.fixture
def log(kafka: KafkaSettings) -> Iterator[Log]:
    made = Log(kafka)
    yield made
    made.close()


@pytest.fixture
def fusion(kafka: KafkaSettings, tmp_path: Path) -> Iterator[FusionProcess]:
    with FusionProcess(tmp_path, kafka.bootstrap_servers) as process:
        yield process


@pytest.fixture
def job() -> str:
    return str(uuid4())


def send(producer: Producer, messages: Messages) -> None:
    producer.send_and_wait([encode(m) for m in messages], 30)


def shuffled(messages: Messages, seed: int) -> list[Event | Embedding]:
    """All of them, half of them twice, in any order."""
    rnd = Random(seed)  # noqa: S311 not for secrets
    found = [*messages, *rnd.sample(messages, len(messages) // 2)]
    rnd.shuffle(found)
    return found


def calm(messages: Messages, job_id: str) -> bytes:
    """The verdict's bytes without Kafka, faults or disorder."""
    ports = MemoryPorts()
    step = Fusion(ports, FakeJudge(), DeadLetterRatio(LoopSettings()))
    asyncio.run(step.process([record(m, offset=i) for i, m in enumerate(messages)]))
    (body,) = ports.values(VERDICTS.name, job_id)
    return body


def whole(job_id: str, windows: int) -> Messages:
    return [plan(job_id, windows), *embeddings(job_id, windows)]


def test_disorder_and_repeats_give_one_verdict_and_its_scores(
    fusion: FusionProcess, producer: Producer, log: Log
) -> None:
    jobs = [str(uuid4()) for _ in range(6)]
    messages = [m for job in jobs for m in whole(job, 10)]
    send(producer, shuffled(messages, 1))
    log.wait(lambda: all(log.verdicts(job) for job in jobs))
    log.wait(lambda: fusion.metric("veracity_consumer_lag_records") == 0)
    for job in jobs:
        assert log.verdicts(job) == [calm(whole(job, 10), job)]
        assert len(log.of(WINDOW_SCORES.name, job)) == 10
    assert fusion.metric("veracity_join_duplicate_records_total") > 0


def test_ends_and_poison_are_handled_between_good_records(
    fusion: FusionProcess, producer: Producer, log: Log
) -> None:
    cancelled, late, poisoned = (str(uuid4()) for _ in range(3))
    good = encode(embedding(poisoned, 0, "video"))
    poison = Outgoing(good.topic, good.key, b"\xff" * 40, good.headers)
    send(producer, [plan(cancelled, 2), embedding(cancelled, 0, "video"), Cancelled(job_id=cancelled)])
    send(producer, [plan(late, 3), *embeddings(late, 1), embedding(late, 1, "video")])
    send(producer, whole(poisoned, 1)[:-1])
    producer.send_and_wait([poison], 30)
    send(producer, whole(poisoned, 1)[-1:])
    log.wait(lambda: bool(log.of(WINDOW_SCORES.name, late)))
    send(producer, [DeadlinePassed(job_id=late), *embeddings(cancelled, 2)])
    log.wait(lambda: bool(log.verdicts(late) and log.verdicts(poisoned)))
    degraded = Verdict.model_validate_json(log.verdicts(late)[0]).degraded
    assert {d.reason for d in degraded} == {"missing"}
    assert log.of(DEAD_LETTERS.name, poisoned) == [poison.value]
    log.wait(lambda: fusion.metric("veracity_join_late_records_total") >= 4)
    assert log.verdicts(cancelled) == []


@pytest.mark.timeout(240)
def test_killed_between_any_two_steps_it_ends_with_the_calm_verdict(
    kafka: KafkaSettings, producer: Producer, log: Log, job: str, tmp_path: Path
) -> None:
    messages = whole(job, 2)
    send(producer, shuffled(messages, 2))
    for steps in (2, 1, 3, 4, 2):
        dying = FusionProcess(tmp_path, kafka.bootstrap_servers, die_at=steps)
        try:
            dying.start()
        except NotReady:
            continue  # it died of its first records
        if not wait_until(lambda: dying.pid is None, 5):  # noqa: B023 used at once
            dying.kill()
    shutil.rmtree(tmp_path / "state")  # another machine: all it has is the changelog
    with FusionProcess(tmp_path, kafka.bootstrap_servers) as fusion:
        log.wait(lambda: bool(log.verdicts(job)))
        log.wait(lambda: fusion.metric("veracity_consumer_lag_records") == 0)
    assert {*log.verdicts(job)} == {calm(messages, job)}


def test_a_second_replica_takes_over_from_one_that_is_killed(
    fusion: FusionProcess, kafka: KafkaSettings, producer: Producer, log: Log, tmp_path: Path
) -> None:
    jobs = [str(uuid4()) for _ in range(12)]
    halves: list[Event | Embedding] = [plan(job, 3) for job in jobs]
    halves += [embedding(job, w, "video") for job in jobs for w in range(3)]
    rest = [embedding(job, w, "audio") for job in jobs for w in range(3)]
    with FusionProcess(tmp_path / "second", kafka.bootstrap_servers) as second:
        log.wait(lambda: 0 < second.metric("veracity_assigned_partitions") < 72)
        send(producer, halves)
        taken = "veracity_records_in_total"
        log.wait(lambda: fusion.metric(taken) + second.metric(taken) >= len(halves))
        fusion.kill()
        send(producer, rest)
        log.wait(lambda: all(log.verdicts(job) for job in jobs))
    for job in jobs:
        assert {*log.verdicts(job)} == {calm(whole(job, 3), job)}


def test_sigterm_ends_it_cleanly_and_nothing_is_taken_twice(
    kafka: KafkaSettings, producer: Producer, log: Log, job: str, tmp_path: Path
) -> None:
    messages = whole(job, 4)
    first = FusionProcess(tmp_path, kafka.bootstrap_servers)
    first.start()
    send(producer, messages[:5])
    log.wait(lambda: bool(log.of(WINDOW_SCORES.name, job)))
    pid = first.pid
    assert pid is not None
    kill(pid, signal.SIGTERM)
    assert wait_until(lambda: first.pid is None, 20)
    with FusionProcess(tmp_path, kafka.bootstrap_servers) as fusion:
        send(producer, messages[5:])
        log.wait(lambda: bool(log.verdicts(job)))
        assert fusion.metric("veracity_join_duplicate_records_total") == 0
    assert log.verdicts(job) == [calm(messages, job)]
