"""Which offset of a partition may be committed, whatever order its records finish in."""

from collections import deque


class OffsetTracker:
    """Pure; for one partition. Offsets are taken in rising order, maybe with gaps (compaction)."""

    def __init__(self) -> None:
        self._open: deque[int] = deque()
        self._finished: set[int] = set()
        self.last = -1
        self._position: int | None = None

    def take(self, offset: int) -> None:
        """`offset` was consumed; nothing from it on is committed before it is finished.

        Raises `ValueError` unless it is above every offset taken before.
        """
        if offset <= self.last:
            raise ValueError(f"offset {offset} after {self.last}")
        self.last = offset
        self._open.append(offset)

    def finish(self, offset: int) -> None:
        """`offset`, which was taken, is done. Repeats change nothing."""
        if not self._open or offset < self._open[0]:
            return
        self._finished.add(offset)
        while self._open and self._open[0] in self._finished:
            done = self._open.popleft()
            self._finished.remove(done)
            self._position = done + 1

    @property
    def position(self) -> int | None:
        """The offset to commit: everything taken below it is finished. None before the first."""
        return self._position

    @property
    def low(self) -> int | None:
        """The lowest offset not finished: the first open one, else `position`."""
        return self._open[0] if self._open else self._position

    @property
    def pending(self) -> int:
        """Taken and not below `position`: the unfinished and those finished behind them."""
        return len(self._open)

    @property
    def unfinished(self) -> int:
        """Taken and not finished."""
        return len(self._open) - len(self._finished)
