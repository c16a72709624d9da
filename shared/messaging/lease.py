"""A partition while it is ours: its offsets, and whether results for it still count."""

import threading
from dataclasses import dataclass

from shared.contracts.records import Record
from shared.messaging.offsets import OffsetTracker


class Lease:
    """Thread-safe. A new assignment of the same partition gets a new lease, so late results of an
    old one change nothing."""

    def __init__(self, topic: str, partition: int) -> None:
        self.topic, self.partition = topic, partition
        self.committed: int | None = None  # polling thread only
        self._offsets = OffsetTracker()
        self._lock = threading.Lock()
        self._revoked = False

    def take(self, offset: int) -> bool:
        """False if it is not above the last one, so this lease knows nothing about it."""
        with self._lock:
            if offset <= self._offsets.last:
                return False
            self._offsets.take(offset)
            return True

    def finish(self, offset: int) -> None:
        with self._lock:
            if not self._revoked:
                self._offsets.finish(offset)

    def revoke(self) -> None:
        with self._lock:
            self._revoked = True

    @property
    def revoked(self) -> bool:
        return self._revoked

    @property
    def position(self) -> int | None:
        with self._lock:
            return self._offsets.position

    @property
    def low(self) -> int | None:
        with self._lock:
            return self._offsets.low

    @property
    def unfinished(self) -> int:
        with self._lock:
            return self._offsets.unfinished

    @property
    def pending(self) -> int:
        with self._lock:
            return self._offsets.pending


@dataclass
class Entry:
    """A record taken from its partition, until it is finished or its lease is revoked."""

    record: Record
    lease: Lease
    attempts: int = 0
    unexpected: int = 0  # attempts that failed for no known reason
    alone: bool = False  # suspected of failing its whole batch
    dead: bool = False  # counted as a dead letter
    fault: Exception | None = None  # an output of the last attempt was not delivered
