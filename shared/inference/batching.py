"""Windows of several jobs in common inference batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.contracts.embeddings import Tensors
from shared.inference.windows import Branch, Window
from shared.observability import metrics

T = TypeVar("T")


@dataclass(frozen=True)
class _Waiting(Generic[T]):
    task: int
    digest: str
    window: Window[T]
    payload: T
    weight: int


class MicroBatches(Generic[T]):
    """Batches of 1, 2, 4, ... up to `limit` model inputs, so that the first results come early.

    A window's tensors do not depend on its company (`Detector`), so neither do the records.
    """

    def __init__(self, branch: Branch[T], limit: int) -> None:
        self._branch, self._limit, self._target = branch, limit, 1
        self._waiting: list[_Waiting[T]] = []

    @property
    def full(self) -> bool:
        return sum(w.weight for w in self._waiting) >= self._target

    def add(self, task: int, digest: str, window: Window[T], payload: T) -> None:
        """`task` comes back with the window's tensors; only windows of one `digest` share a model."""
        self._waiting.append(_Waiting(task, digest, window, payload, self._branch.weight(payload)))

    def drop(self, task: int) -> None:
        """Forgets the windows of a task that failed."""
        self._waiting = [w for w in self._waiting if w.task != task]

    def encode(self) -> Iterator[tuple[int, Window[T], Tensors]]:
        """Runs what waits, and empties it."""
        waiting, self._waiting = self._waiting, []
        self._target = min(2 * self._target, self._limit)
        for digest in dict.fromkeys(w.digest for w in waiting):
            batch = [w for w in waiting if w.digest == digest]
            metrics.BATCH_SIZE.labels(self._branch.modality).observe(len(batch))
            with metrics.INFERENCE_SECONDS.labels(self._branch.modality).time():
                tensors = self._branch.encode(digest, [w.payload for w in batch])
            for w, found in zip(batch, tensors, strict=True):
                yield w.task, w.window, found
