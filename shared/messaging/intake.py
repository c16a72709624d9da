"""The queue between the polling thread and the workers: batches, and retries that wait their time."""

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Collection

from shared.messaging.lease import Entry, Lease


class Intake:
    """Thread-safe. Bounded by the polling thread, which pauses partitions instead of blocking."""

    def __init__(self, max_batch: int, linger_s: float) -> None:
        self._max_batch, self._linger_s = max_batch, linger_s
        self._ready: deque[Entry] = deque()
        self._later: list[tuple[float, int, Entry]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._turn = threading.Lock()  # one worker collects at a time, so lingering fills one batch
        self._closed = False

    def put(self, entry: Entry, delay_s: float = 0.0) -> None:
        """Makes `entry` available, `delay_s` from now; after `close` it is dropped."""
        with self._changed:
            if self._closed:
                return
            if delay_s > 0:
                heapq.heappush(self._later, (time.monotonic() + delay_s, next(self._order), entry))
            else:
                self._ready.append(entry)
            self._changed.notify_all()

    def take(self) -> list[Entry] | None:
        """Waits for entries and returns at most `max_batch` of them; None once closed.

        The first entry waits `linger_s` for company. An entry that is `alone` gets none.
        """
        with self._turn, self._changed:
            while not self._closed:
                if first := self._next(None):
                    batch = [first] if first.alone else self._collect(first)
                    if batch := [entry for entry in batch if not entry.lease.revoked]:
                        return batch
            return None

    def drop(self, leases: Collection[Lease]) -> None:
        """Forgets what waits here for these partitions."""
        gone = set(leases)
        with self._changed:
            self._ready = deque(entry for entry in self._ready if entry.lease not in gone)
            self._later = [item for item in self._later if item[2].lease not in gone]
            heapq.heapify(self._later)

    def close(self) -> None:
        """Forgets everything and sends the workers home."""
        with self._changed:
            self._closed = True
            self._ready.clear()
            self._later.clear()
            self._changed.notify_all()

    def _collect(self, first: Entry) -> list[Entry]:
        batch, end = [first], time.monotonic() + self._linger_s
        while len(batch) < self._max_batch and not self._closed:
            if self._ready and self._ready[0].alone:
                break
            entry = self._next(end)
            if entry is None:
                break
            if entry.alone:
                self._ready.appendleft(entry)
                break
            batch.append(entry)
        return batch

    def _next(self, end: float | None) -> Entry | None:
        """The next entry; None at `end` (monotonic time) or when closed."""
        while not self._closed:
            now = time.monotonic()
            while self._later and self._later[0][0] <= now:
                self._ready.append(heapq.heappop(self._later)[2])
            if self._ready:
                return self._ready.popleft()
            if end is not None and now >= end:
                return None
            due = [t for t in (end, self._later[0][0] if self._later else None) if t is not None]
            self._changed.wait(min(due) - now if due else None)
        return None
