"""The thread that keeps the read model at the topics' ends, and those who wait for it."""

import asyncio
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from services.ingest.read_model.model import Positions, ReadModel
from shared.contracts.outcomes import Transient
from shared.contracts.records import Record

log = logging.getLogger(__name__)
POLL_S = 0.2


class Reader(Protocol):
    """All partitions of the followed topics, from given offsets on: `shared.messaging.reader.LogReader`."""

    def poll(self, timeout_s: float, /) -> list[Record]: ...

    def end_offsets(self, timeout_s: float, /) -> Positions: ...

    def beginning_offsets(self, timeout_s: float, /) -> Positions: ...

    def close(self) -> None: ...


OpenReader = Callable[[Positions], Reader]
"""Opens a reader at these positions; raises `Transient` while the broker or a topic is away."""


class Follower:
    """`run` and `listen` in threads of their own; everything else from anywhere.

    `patience_s`: after so long a silence of the broker nobody waits for it any more."""

    def __init__(self, model: ReadModel, open_reader: OpenReader, patience_s: float = float("inf")) -> None:
        self._model, self._open_reader, self._patience_s = model, open_reader, patience_s
        self._reader: Reader | None = None
        self._next: Positions = {}
        self._moved = threading.Condition()
        self._watchers: dict[str, set[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = defaultdict(set)
        self._heard = float("-inf")

    def run(self, stop: threading.Event, tick: Callable[[], None] = lambda: None) -> None:
        """Folds until `stop`. A broker that is away is waited for."""
        try:
            while not stop.is_set():
                tick()
                try:
                    reader = self._reader or self._open()
                except Transient as error:
                    log.warning("cannot follow the topics yet: %s", error)
                    stop.wait(0.5)
                    continue
                if records := reader.poll(POLL_S):
                    self._take(records)
        finally:
            if self._reader:
                self._reader.close()

    def catch_up(self, timeout_s: float) -> None:
        """Returns when all that was in the topics at the time of the call is folded.

        Raises `Transient` when the broker does not answer or the time is over."""
        self.expect_broker()
        deadline = time.monotonic() + timeout_s
        ends = self.ends(timeout_s)
        with self._moved:
            if not self._moved.wait_for(lambda: self._reached(ends), max(0.0, deadline - time.monotonic())):
                raise Transient("the read model is behind the topics")

    def ends(self, timeout_s: float) -> Positions:
        """Where the topics end now. Raises `Transient`."""
        if self._reader is None:
            raise Transient("the topics are not followed yet")
        ends = self._reader.end_offsets(timeout_s)
        self._heard = time.monotonic()
        return ends

    def expect_broker(self) -> None:
        """Raises `Transient` at once when the broker has been silent for too long."""
        if self._reader is not None and time.monotonic() - self._heard > self._patience_s:
            raise Transient("the broker does not answer")

    @contextmanager
    def watch(self, job_id: str) -> Iterator[asyncio.Event]:
        """An event that is set, in the running loop, whenever the job changes."""
        watcher = (asyncio.get_running_loop(), asyncio.Event())
        with self._moved:
            self._watchers[job_id].add(watcher)
        try:
            yield watcher[1]
        finally:
            with self._moved:
                self._watchers[job_id].discard(watcher)
                if not self._watchers[job_id]:
                    del self._watchers[job_id]

    def wake(self, job_ids: Iterable[str]) -> None:
        """Those who watch these jobs look again."""
        with self._moved:
            woken = [watcher for job_id in job_ids for watcher in self._watchers.get(job_id, ())]
        for loop, event in woken:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    def listen(self, stop: threading.Event, every_s: float) -> None:
        """Asks the broker every so often, so that an outage is known soon."""
        while not stop.wait(every_s):
            with suppress(Transient):
                self.ends(2 * every_s)

    def _take(self, records: list[Record]) -> None:
        changed = self._model.fold(records)
        with self._moved:
            self._next.update({(r.topic, r.partition): r.offset + 1 for r in records})
            self._moved.notify_all()
        self.wake(changed)

    def _reached(self, ends: Positions) -> bool:
        return all(self._next.get(place, 0) >= end for place, end in ends.items())

    def _open(self) -> Reader:
        reader = self._open_reader(self._model.positions())
        try:
            ends = reader.end_offsets(10.0)
            if self._model.forget(ends):
                log.warning("the topics are not those that were folded: folding anew")
                reader.close()
                reader = self._open_reader({})
            # What retention removed is never delivered: waiting for it would not end.
            following = reader.beginning_offsets(10.0)
        except Transient:
            reader.close()
            raise
        for place, offset in self._model.positions().items():
            following[place] = max(offset, following.get(place, 0))
        with self._moved:
            self._next = following
            self._reader = reader
        return reader
