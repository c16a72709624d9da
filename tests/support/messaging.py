"""A broker, a topic of its own and what is needed to watch a loop work on it."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import uuid4

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import Producer as KafkaProducer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from shared.contracts.codec import decode, encode
from shared.contracts.jobs import Cancelled
from shared.contracts.outcomes import Transient
from shared.contracts.records import Outgoing, Record
from shared.contracts.topics import DEAD_LETTERS, JOB_CONTROL
from shared.messaging.admin import create_topics
from shared.messaging.dead_letters import DeadLetter, dead_letters
from shared.messaging.handlers import Handler
from shared.messaging.loop import Loop
from shared.messaging.loop_settings import LoopSettings
from shared.messaging.producer import Delivered, Producer
from shared.messaging.reader import LogReader
from shared.messaging.settings import KafkaSettings
from shared.observability.health import Health

PATIENCE_S = 60.0
FAST = LoopSettings(retry_base_s=0.02, retry_max_s=0.1, commit_interval_s=0.05, poll_s=0.02, drain_s=10.0)


def eventually(true: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Waits until `true()`; fails naming `what`."""
    deadline, pause = time.monotonic() + patience_s, threading.Event()
    while not true():
        assert time.monotonic() < deadline, f"not within {patience_s} s: {what}"
        pause.wait(0.02)


class CountingHealth(Health):
    """Shows that a loop polls."""

    ticks = 0

    def tick(self, name: str = "loop") -> None:
        self.ticks += 1
        super().tick(name)


class Running:
    """A loop in a thread."""

    def __init__(self, loop: Loop, health: CountingHealth) -> None:
        self.health, self.stop = health, threading.Event()
        self._loop = loop
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        return not self._thread.is_alive()

    def ready(self) -> bool:
        return self.health.ready()[0]

    def finish(self) -> None:
        self.stop.set()
        self._thread.join(PATIENCE_S)
        assert self.ended, "the loop did not stop"

    def _run(self) -> None:
        try:
            self._loop.run(self.stop)
        except BaseException as error:
            self.error = error


@dataclass(frozen=True)
class Rig:
    """`topic` has `partitions` partitions and belongs to one test; jobs' ids start with it."""

    kafka: KafkaSettings
    topic: str
    partitions: int
    producer: Producer
    mock: bool

    def noticing_kills(self) -> "Rig":
        """With a session timeout of seconds: the mock broker's KIP-848 groups have a fixed 30 s."""
        if not self.mock:
            return self
        session = {"session.timeout.ms": 3_000, "heartbeat.interval.ms": 500}
        update = {"group_protocol": "classic", "overrides": session}
        return replace(self, kafka=self.kafka.model_copy(update=update))

    @property
    def group(self) -> str:
        return f"group-{self.topic}"

    def job(self, number: int) -> str:
        return f"{self.topic}.{number}"

    def event(self, number: int) -> Outgoing:
        """An event of job `number` on the test's topic."""
        return replace(encode(Cancelled(job_id=self.job(number))), topic=self.topic)

    def send(self, *outs: Outgoing) -> list[Delivered]:
        return self.producer.send_and_wait(outs, PATIENCE_S)

    def send_jobs(self, count: int, partition: int | None = None) -> list[Delivered]:
        return self.send(*(replace(self.event(n), partition=partition) for n in range(count)))

    @contextmanager
    def loop(self, handler: Handler, batch: LoopSettings = FAST) -> Iterator[Running]:
        health = CountingHealth()
        loop = Loop(self.kafka, self.group, [self.topic], handler, self.producer, batch=batch, health=health)
        running = Running(loop, health)
        try:
            yield running
        finally:
            running.finish()

    def committed(self) -> dict[int, int]:
        """The group's committed offsets by partition."""
        asked = [TopicPartition(self.topic, number) for number in range(self.partitions)]
        consumer = Consumer(self.kafka.consumer_config(self.group))
        try:
            found = consumer.committed(asked, timeout=PATIENCE_S)
            return {p.partition: p.offset for p in found if p.offset >= 0}
        finally:
            consumer.close()

    def all_committed(self) -> bool:
        """Whether everything on the topic is committed; not while the broker cannot say."""
        try:
            with LogReader(self.kafka, [self.topic], {}) as reader:
                ends = {partition: end for (_, partition), end in reader.end_offsets().items() if end}
            return self.committed() == ends
        except (Transient, KafkaException):
            return False

    def records(self, topic: str) -> list[Record]:
        with LogReader(self.kafka, [topic], {}) as reader:
            return list(reader.read_to_end(PATIENCE_S))

    def outputs(self) -> list[str]:
        """Ids of this test's jobs on `job-control-v1`, where `echo` publishes."""
        jobs = [getattr(decode(record), "job_id", "") for record in self.records(JOB_CONTROL.name)]
        return [job for job in jobs if job.startswith(f"{self.topic}.")]

    def letters(self) -> list[DeadLetter]:
        """This test's dead letters."""
        return [letter for letter in dead_letters(self.kafka) if letter.topic == self.topic]


@contextmanager
def rig(kafka: KafkaSettings, partitions: int, *, mock: bool) -> Iterator[Rig]:
    """A rig on a real broker, or on the mock one, which makes topics when they are asked for."""
    topic = f"test-{uuid4().hex[:12]}"
    if mock:
        _touch(kafka, [topic, JOB_CONTROL.name, DEAD_LETTERS.name])
    else:
        create_topics(kafka)
        admin = AdminClient(kafka.admin_config())
        admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(PATIENCE_S)
    producer = Producer(kafka, "tests")
    try:
        yield Rig(kafka, topic, partitions, producer, mock)
    finally:
        producer.close()


def mock_broker() -> tuple[KafkaProducer, str]:
    """librdkafka's broker, alive as long as the returned client, and its address."""
    client = KafkaProducer({"bootstrap.servers": "none", "test.mock.num.brokers": 1, "log_level": 3})
    (broker,) = client.list_topics(timeout=PATIENCE_S).brokers.values()
    return client, f"{broker.host}:{broker.port}"


def _touch(kafka: KafkaSettings, topics: Sequence[str]) -> None:
    client = KafkaProducer(kafka.producer_config("tests"))
    for topic in topics:
        client.list_topics(topic, timeout=PATIENCE_S)
