"""The loop: one thread polls, workers handle, and only finished offsets are committed.

    producer = Producer(kafka, "video_worker")
    loop = Loop(kafka, "video_worker", [VIDEO_EVENTS.name], handler, producer, health=health)
    loop.run(stop_on_signals())

It promises at-least-once: an offset is committed when its record and all before it in its partition
are finished, that is, every output is acknowledged (or the dead letter is). With several workers, or
after a retry, records of one partition are not handled in order.

A lost broker is no reason to stop: the loop keeps polling and stays alive. On `stop` it pauses,
finishes what is in flight, commits and closes; what only waits in the queue is left to the next.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from shared.contracts.codec import decode
from shared.messaging.group import Group, Place
from shared.messaging.handlers import FINISHED, Finished, Handler, Task, one_by_one
from shared.messaging.intake import Intake
from shared.messaging.lease import Entry, Lease
from shared.messaging.limits import DeadLetterLimit
from shared.messaging.loop_settings import LoopSettings
from shared.messaging.producer import Producer
from shared.messaging.settings import KafkaSettings
from shared.messaging.workers import Decoder, Workers
from shared.observability import metrics
from shared.observability.health import Health

__all__ = [
    "FINISHED", "DeadLetterLimit", "Finished", "Handler", "Loop", "LoopSettings", "Task", "one_by_one",
]
log = logging.getLogger(__name__)
Callback = Callable[[list[Place]], None]
_POLL_BUDGET = 500  # records taken between two looks at commits and pauses
_JAM_S = 0.5  # a queue full for longer pauses the partitions
_CLOSING_S = 3.0  # for the last commit to be answered


class Loop:
    """Nothing connects before `run`. `on_assign` and `on_revoke` get (topic, partition) pairs and run
    in the polling thread; `decoder` is for topics in foreign formats."""

    def __init__(
        self, settings: KafkaSettings, group_id: str, topics: Sequence[str], handler: Handler,
        producer: Producer, *, batch: LoopSettings | None = None, health: Health | None = None,
        on_assign: Callback | None = None, on_revoke: Callback | None = None,
        decoder: Decoder = decode, service: str | None = None,
    ) -> None:
        self._kafka, self._group_id, self._topics = settings, group_id, list(topics)
        self._handler, self._producer, self._decoder = handler, producer, decoder
        self._settings = batch or LoopSettings()
        self._service = service or group_id
        self._health = health or Health()
        self._name = f"loop {group_id}"
        self._on_assign, self._on_revoke = on_assign, on_revoke
        self._in_flight = 0
        self._full = self._stopping = False
        self._health.set_ready(self._name, False)

    def run(self, stop: threading.Event) -> None:
        """Returns after `stop`. Raises `DeadLetterLimit`, or what is fatal to the client."""
        self._full = self._stopping = False
        self._intake = Intake(self._settings.max_batch, self._settings.linger_s)
        self._group = Group(self._kafka, self._group_id, self._topics, self._assigned, self._revoking)
        self._workers = Workers(
            self._service, self._handler, self._decoder, self._producer, self._intake, self._settings
        )
        try:
            self._poll_until(stop)
            self._drain()
        finally:
            self._intake.close()
            self._group.close()
            self._measure({})
            self._health.done(self._name)
        if self._workers.failure:
            raise self._workers.failure

    def _poll_until(self, stop: threading.Event) -> None:
        commit_at = measure_at = 0.0
        while not stop.is_set() and self._workers.failure is None:
            self._health.tick(self._name)
            self._take()
            self._hold_back()
            now = time.monotonic()
            if now >= commit_at:
                self._group.commit()
                commit_at = now + self._settings.commit_interval_s
            if now >= measure_at:
                self._measure(self._group.lag())
                measure_at = now + 1.0

    def _take(self) -> None:
        """Polls at least once, then takes what is there while there is room."""
        wait_s, budget = self._settings.poll_s, _POLL_BUDGET
        room = self._settings.queue - self._unfinished()
        while (found := self._group.poll(wait_s)) is not None:
            lease, record = found
            if not lease.take(record.offset):
                lease = self._group.renew(lease)
                lease.take(record.offset)
            metrics.RECORDS_IN.labels(record.topic).inc()
            self._intake.put(Entry(record, lease))
            room, budget, wait_s = room - 1, budget - 1, 0.0
            if room <= 0 or budget <= 0:
                return

    def _hold_back(self) -> None:
        """Pauses all when the queue stays full, until it is half empty; else those too far behind.

        Pausing drops what was fetched, and fetching begins again a second later, so short jams are
        waited out.
        """
        def half_empty() -> bool:
            return self._unfinished() <= self._settings.queue // 2

        if self._full:
            self._full = not half_empty()
        elif self._unfinished() >= self._settings.queue:
            self._full = not self._workers.busy.wait_until(half_empty, _JAM_S)
        leases, limit = self._group.leases, self._settings.max_behind
        self._group.hold([p for p, le in leases.items() if self._full or le.pending >= limit])

    def _drain(self) -> None:
        """Finishes what workers have begun; the queue's rest is the next member's."""
        self._stopping = True
        self._health.set_ready(self._name, False)
        self._intake.close()
        self._spin(lambda: self._workers.busy.total() == 0, self._settings.drain_s)
        self._spin(lambda: self._group.committed, _CLOSING_S)

    def _spin(self, done: Callable[[], bool], timeout_s: float) -> None:
        """Keeps polling, without taking anything, until `done` or the timeout."""
        end = time.monotonic() + timeout_s
        while not done() and time.monotonic() < end:
            self._health.tick(self._name)
            self._group.hold(self._group.leases.keys())
            self._group.poll(0.02)
            self._group.commit()

    def _assigned(self, places: list[Place]) -> None:
        self._health.set_ready(self._name, not self._stopping)
        if self._on_assign:
            self._on_assign(places)

    def _revoking(self, leases: list[Lease], lost: bool) -> None:
        self._intake.drop(leases)
        if lost:
            self._health.set_ready(self._name, False)
        elif not self._stopping:
            self._workers.busy.wait_idle(leases, self._settings.revoke_drain_s)
        if self._on_revoke:
            self._on_revoke([(lease.topic, lease.partition) for lease in leases])

    def _unfinished(self) -> int:
        return sum(lease.unfinished for lease in self._group.leases.values())

    def _measure(self, lag: dict[str, int]) -> None:
        owned = [topic for topic, _ in self._group.leases]
        for topic in self._topics:
            metrics.LAG.labels(topic).set(lag.get(topic, 0))
            metrics.PARTITIONS.labels(topic).set(owned.count(topic))
        # Several loops of a process share this gauge.
        metrics.IN_FLIGHT.inc(self._unfinished() - self._in_flight)
        self._in_flight = self._unfinished()
