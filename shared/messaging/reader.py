"""Reads whole topics without a group: read models, dead-letter lists, tests."""

import time
from collections.abc import Iterator, Mapping, Sequence
from threading import Lock
from types import TracebackType
from typing import Self

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaException, TopicPartition

from shared.contracts.outcomes import Transient
from shared.contracts.records import Record
from shared.messaging.convert import to_record
from shared.messaging.settings import KafkaSettings

Place = tuple[str, int]  # topic, partition


class LogReader:
    """All partitions of `topics`, each from `start` (else its beginning), in order within each.

    The constructor raises `Transient` if the broker or one of the topics is not there within
    `timeout_s`. Partitions added later are not read.
    """

    def __init__(
        self, settings: KafkaSettings, topics: Sequence[str], start: Mapping[Place, int],
        *, client_id: str = "reader", timeout_s: float = 10.0,
    ) -> None:
        self._consumer = Consumer(settings.reader_config(client_id))
        try:
            self._places = self._partitions(topics, timeout_s)
        except Transient:
            self._consumer.close()
            raise
        # Offsets are asked for over a connection of their own: behind a fetch that waits for records they
        # would wait too, and a second thread's question does not return while `consume` runs.
        self._asker = Consumer(settings.reader_config(client_id))
        self._asking = Lock()
        self._next: dict[Place, int] = {place: start.get(place, 0) for place in self._places}
        self._consumer.assign([TopicPartition(*p, start.get(p, OFFSET_BEGINNING)) for p in self._places])

    def poll(self, timeout_s: float, limit: int = 1_000) -> list[Record]:
        """Up to `limit` records, as soon as some are there; [] at `timeout_s`, also with the broker away."""
        # consume() would wait until it has `limit` of them, so wait for one and take what came with it.
        if (first := self._consumer.poll(timeout_s)) is None:
            return []
        more = self._consumer.consume(limit - 1, 0) if limit > 1 else []
        records = []
        for message in (first, *more):
            if message.error() is None:
                record = to_record(message)
                self._next[record.topic, record.partition] = record.offset + 1
                records.append(record)
        return records

    def positions(self) -> dict[Place, int]:
        """The next offset of each partition: pass it as `start` to go on from here."""
        return dict(self._next)

    def end_offsets(self, timeout_s: float = 10.0) -> dict[Place, int]:
        """The offset after the last record of each partition. Raises `Transient`."""
        return self._offsets(OFFSET_END, timeout_s)

    def beginning_offsets(self, timeout_s: float = 10.0) -> dict[Place, int]:
        """The offset of the first record that each partition still keeps. Raises `Transient`."""
        return self._offsets(OFFSET_BEGINNING, timeout_s)

    def _offsets(self, which: int, timeout_s: float) -> dict[Place, int]:
        asked = [TopicPartition(topic, partition, which) for topic, partition in self._places]
        try:
            with self._asking:
                answers = self._asker.offsets_for_times(asked, timeout=timeout_s)
        except KafkaException as error:
            raise Transient(f"offsets: {error}") from error
        failed = [answer.error for answer in answers if answer.error]
        if failed:
            raise Transient(f"offsets: {failed[0]}")
        return {(answer.topic, answer.partition): answer.offset for answer in answers}

    def read_to_end(self, timeout_s: float) -> Iterator[Record]:
        """What is there now. Raises `Transient` if nothing comes for `timeout_s` before that."""
        ends = self.end_offsets(timeout_s)
        quiet_since = time.monotonic()
        while any(self._position(place) < end for place, end in ends.items()):
            for record in self.poll(0.2):
                quiet_since = time.monotonic()
                if record.offset < ends[record.topic, record.partition]:
                    yield record
            if time.monotonic() - quiet_since > timeout_s:
                raise Transient(f"no records for {timeout_s} s")

    def close(self) -> None:
        self._consumer.close()
        self._asker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _position(self, place: Place) -> int:
        """Also moves past deleted, compacted and control records, which are never delivered."""
        asked = TopicPartition(*place)
        return max(self._next[place], self._consumer.position([asked])[0].offset)

    def _partitions(self, topics: Sequence[str], timeout_s: float) -> list[Place]:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                known = self._consumer.list_topics(timeout=max(0.1, deadline - time.monotonic())).topics
                missing = [t for t in topics if t not in known or known[t].error or not known[t].partitions]
                problem = f"no topic {', '.join(missing)}"
            except KafkaException as error:
                missing, problem = list(topics), f"broker: {error}"
            if not missing:
                return [(topic, number) for topic in topics for number in sorted(known[topic].partitions)]
            if time.monotonic() > deadline:
                raise Transient(problem)
            self._consumer.poll(0.2)
