"""The log in memory: what the API and the read model need of Kafka, for tests and one-process runs."""

import itertools
import threading
import time
import zlib
from collections.abc import Sequence

from services.ingest.read_model.model import FOLLOWED, Positions
from shared.contracts.base import Event
from shared.contracts.codec import encode
from shared.contracts.outcomes import Transient
from shared.contracts.records import Outgoing, Record


class MemoryLog:
    """Topics of a few partitions. Set `outage` to a sentence, and all calls raise it as `Transient`."""

    def __init__(self, partitions: int = 3) -> None:
        self.partitions = partitions
        self.records: list[Record] = []
        self.outage: str | None = None
        self._ends: Positions = {}
        self._grown = threading.Condition()
        self._clock_ms = itertools.count(1_795_521_600_000)

    async def publish(self, messages: Sequence[Event], traceparent: str) -> None:
        self.publish_now(messages, traceparent)

    def publish_now(self, messages: Sequence[Event], traceparent: str) -> None:
        for message in messages:
            self.append(encode(message, traceparent=traceparent))

    def append(self, out: Outgoing) -> Record:
        """The record as it was written."""
        self._reachable()
        place = (out.topic, zlib.crc32(out.key or b"") % self.partitions)
        with self._grown:
            offset = self._ends.get(place, 0)
            record = Record(*place, offset, out.key, out.value, out.headers, next(self._clock_ms))
            self._ends[place] = offset + 1
            self.records.append(record)
            self._grown.notify_all()
        return record

    def open_reader(self, start: Positions) -> "MemoryReader":
        self._reachable()
        return MemoryReader(self, start)

    def ends(self) -> Positions:
        self._reachable()
        every = {(topic, partition): 0 for topic in FOLLOWED for partition in range(self.partitions)}
        return every | {place: end for place, end in self._ends.items() if place[0] in FOLLOWED}

    def wait_beyond(self, count: int, timeout_s: float) -> list[Record]:
        """Records after the first `count`, as soon as there are any."""
        with self._grown:
            self._grown.wait_for(lambda: len(self.records) > count, timeout_s)
            return self.records[count:]

    def _reachable(self) -> None:
        if self.outage is not None:
            raise Transient(self.outage)


class MemoryReader:
    """Satisfies `read_model.follower.Reader`."""

    def __init__(self, log: MemoryLog, start: Positions) -> None:
        self._log, self._start, self._seen = log, start, 0

    def poll(self, timeout_s: float, /) -> list[Record]:
        if self._log.outage is not None:
            time.sleep(min(timeout_s, 0.01))
            return []
        new = self._log.wait_beyond(self._seen, min(timeout_s, 0.02))
        self._seen += len(new)
        return [
            r for r in new if r.topic in FOLLOWED and r.offset >= self._start.get((r.topic, r.partition), 0)
        ]

    def end_offsets(self, timeout_s: float, /) -> Positions:
        return self._log.ends()

    def beginning_offsets(self, timeout_s: float, /) -> Positions:
        return dict.fromkeys(self._log.ends(), 0)

    def close(self) -> None:
        """Nothing is open."""
