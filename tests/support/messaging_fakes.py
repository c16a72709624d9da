"""A producer that acknowledges when it is told to, and workers around it."""

from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from shared.contracts.records import Outgoing, Record
from shared.messaging.handlers import Handler
from shared.messaging.intake import Intake
from shared.messaging.lease import Entry, Lease
from shared.messaging.loop_settings import LoopSettings
from shared.messaging.workers import Workers
from tests.support.messaging import eventually

Report = Callable[[Exception | None], None]
QUICK = LoopSettings(retry_base_s=0.001, retry_max_s=0.002, linger_s=0.0)


class FakeProducer:
    """`sent` in order. With `hold`, reports wait for `acknowledge`."""

    def __init__(self, hold: bool = False) -> None:
        self.sent: list[Outgoing] = []
        self.refuse: Callable[[Outgoing], Exception | None] = lambda out: None
        self.fail: Callable[[Outgoing], Exception | None] = lambda out: None
        self._hold = hold
        self._waiting: list[Report] = []

    def send(self, out: Outgoing, on_delivery: Report | None = None) -> None:
        if problem := self.refuse(out):
            raise problem
        self.sent.append(out)
        if on_delivery is None:
            return
        if self._hold:
            self._waiting.append(on_delivery)
        else:
            on_delivery(self.fail(out))

    def acknowledge(self, error: Exception | None = None) -> None:
        waiting, self._waiting = self._waiting, []
        for report in waiting:
            report(error)

    def topics(self) -> list[str]:
        return [out.topic for out in self.sent]


class Bench:
    """Workers on one partition without Kafka; a record's message has `job_id` = its key."""

    def __init__(
        self, handler: Handler, producer: FakeProducer | None = None, settings: LoopSettings = QUICK,
        deadline: datetime | None = None,
    ) -> None:
        self.producer = producer or FakeProducer()
        self.lease = Lease("in", 0)
        self.intake = Intake(settings.max_batch, settings.linger_s)
        self._deadline = deadline
        self.workers = Workers("bench", handler, self._decode, self.producer, self.intake, settings)

    def put(self, *keys: str) -> None:
        """Records at offsets 0, 1, ..."""
        entries = [Entry(Record("in", 0, n, key.encode(), b"{}"), self.lease) for n, key in enumerate(keys)]
        for entry in entries:
            self.lease.take(entry.record.offset)
        for entry in entries:
            self.intake.put(entry)

    def wait_position(self, position: int) -> None:
        eventually(lambda: self.lease.position == position, f"position {position}")

    def close(self) -> None:
        self.intake.close()
        eventually(lambda: self.workers.busy.total() == 0, "idle workers")

    def _decode(self, record: Record) -> Any:
        return SimpleNamespace(job_id=(record.key or b"").decode(), deadline=self._deadline)
