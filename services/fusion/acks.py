"""Acknowledging in the order of the log, whatever order records were delivered and finished in."""

import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

E = TypeVar("E")
Place = tuple[str, int]  # topic, partition


class Acks(Generic[E]):
    """Pure but for the clock. `starts`: the offset that each partition is read from."""

    def __init__(self, starts: Mapping[Place, int], clock: Callable[[], float] = time.monotonic) -> None:
        self._next = dict(starts)
        self._waiting: dict[Place, dict[int, E]] = {}
        self._since: dict[Place, float] = {}
        self._clock = clock

    def finish(self, place: Place, offset: int, event: E) -> list[E]:
        """What may be acknowledged now, in order. Nothing for a partition that has no start yet."""
        if offset < self._next.get(place, offset + 1):
            return []
        waiting = self._waiting.setdefault(place, {})
        waiting[offset] = event
        ready = []
        while self._next[place] in waiting:
            ready.append(waiting.pop(self._next[place]))
            self._next[place] += 1
        if not waiting:
            self._since.pop(place, None)
        elif ready or place not in self._since:
            self._since[place] = self._clock()
        return ready

    def stalled_s(self) -> float:
        """For how long, at most, finished records have waited for an earlier one that does not come."""
        return max((self._clock() - since for since in self._since.values()), default=0.0)
