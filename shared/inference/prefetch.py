"""Reading ahead: several iterators, taken in turns by one background thread, in bounded memory."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from queue import Queue
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class End(Enum):
    """The type of `END`."""

    END = "end"


END = End.END
Arrival = tuple[int, T | Exception | End]


class Prefetch(Generic[T]):
    """Iterate over it inside `with`: `(i, item)` of source i, then once `(i, END)` or `(i, exception)`.

    `sources` are opened in order, at most `open_at_once` of them, in the thread; `ahead` items wait at
    most. Leaving the `with` closes what is open, which may take as long as the item under way.
    """

    def __init__(
        self, sources: Sequence[tuple[int, Callable[[], Iterator[T]]]], *, open_at_once: int, ahead: int
    ) -> None:
        self._waiting = deque(sources)
        self._open_at_once = open_at_once
        self._queue: Queue[Arrival[T] | None] = Queue(maxsize=ahead)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prefetch", daemon=True)

    def __enter__(self) -> "Prefetch[T]":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        while self._thread.is_alive():  # it may be waiting for room
            while not self._queue.empty():
                self._queue.get()
            self._thread.join(timeout=0.02)

    def __iter__(self) -> Iterator[Arrival[T]]:
        return iter(self._queue.get, None)

    def _run(self) -> None:
        open_: deque[tuple[int, Iterator[T]]] = deque()
        while not self._stop.is_set() and (open_ or self._waiting):
            while self._waiting and len(open_) < self._open_at_once:
                index, source = self._waiting.popleft()
                open_.append((index, source()))
            index, iterator = open_.popleft()
            try:
                item = next(iterator)
            except StopIteration:
                self._queue.put((index, END))
            except Exception as error:
                self._queue.put((index, error))
            else:
                open_.append((index, iterator))
                self._queue.put((index, item))
        for _, iterator in open_:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()
        self._queue.put(None)
