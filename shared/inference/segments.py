"""A worker's step: segments in, one embedding record for every planned window out.

The segments of a call are of any jobs. Their windows are decoded ahead in one thread, taken in turns,
and encoded in common batches.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Generic, TypeVar

from shared.contracts.embeddings import Tensors
from shared.contracts.jobs import SegmentPlanned
from shared.contracts.outcomes import BadMedia, InvalidRecord
from shared.inference.batching import MicroBatches
from shared.inference.prefetch import END, Prefetch
from shared.inference.windows import Branch, Window, record, status_of
from shared.messaging.handlers import FINISHED, Step, Task
from shared.observability import metrics
from shared.observability.logs import bind

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass
class _Open:
    """A segment under way."""

    segment: SegmentPlanned
    runtime: str
    unseen: set[int]  # planned windows that decoding has not given yet
    waiting: int = 0  # decoded, not yet encoded
    ended: bool = False

    @property
    def finished(self) -> bool:
        return self.ended and not self.waiting


class SegmentHandler(Generic[T]):
    """A `messaging.Handler`. `batch`: the most model inputs at a time (one window may exceed it alone);
    `open_at_once`: segments decoded side by side."""

    def __init__(self, branch: Branch[T], *, batch: int = 8, open_at_once: int = 2) -> None:
        self._branch, self._batch, self._open_at_once = branch, batch, open_at_once

    def __call__(self, tasks: Sequence[Task]) -> Iterator[Step]:
        under_way: dict[int, _Open] = {}
        for index, task in enumerate(tasks):
            try:
                opened = self._open(task.message)
            except InvalidRecord as error:
                yield index, error
            else:
                if opened is None:
                    yield index, FINISHED
                else:
                    under_way[index] = opened
        sources = [(i, partial(self._decode, tasks[i])) for i in under_way]
        with Prefetch(sources, open_at_once=self._open_at_once, ahead=2 * self._batch) as arrivals:
            yield from self._consume(arrivals, under_way)

    def _open(self, message: object) -> _Open | None:
        """None: this modality has nothing to do there. Raises `InvalidRecord`."""
        if not isinstance(message, SegmentPlanned):
            raise InvalidRecord("unexpected_type", f"{type(message).__name__} is no segment")
        if self._branch.modality not in message.modalities:
            return None
        planned = range(message.first_window, message.first_window + message.window_count)
        return _Open(message, self._branch.runtime(message.bundle_digest), set(planned))

    def _consume(self, arrivals: Prefetch[Window[T]], under_way: dict[int, _Open]) -> Iterator[Step]:
        batches = MicroBatches(self._branch, self._batch)
        for index, arrival in arrivals:
            opened = under_way[index]
            if isinstance(arrival, Window):
                yield from self._decoded(index, opened, arrival, batches)
            elif arrival is END or isinstance(arrival, BadMedia):
                yield from self._ended(index, opened, arrival if isinstance(arrival, BadMedia) else None)
            else:
                batches.drop(index)
                yield index, arrival
            if batches.full:
                yield from self._encoded(batches, under_way)
        yield from self._encoded(batches, under_way)

    def _decoded(
        self, index: int, opened: _Open, window: Window[T], batches: MicroBatches[T]
    ) -> Iterator[Step]:
        if window.index not in opened.unseen:
            return
        opened.unseen.remove(window.index)
        if window.payload is None:
            yield self._record(index, opened, window, {})
        else:
            opened.waiting += 1
            batches.add(index, opened.segment.bundle_digest, window, window.payload)

    def _ended(self, index: int, opened: _Open, fault: BadMedia | None) -> Iterator[Step]:
        """Every planned window gets its record, whatever the file holds."""
        if fault is not None:
            metrics.BAD_MEDIA.labels(fault.code).inc()
            log.info("media fault: %s", fault, extra={"windows_lost": len(opened.unseen)})
        reason = fault.code if fault else "decode_failed"
        for window in sorted(opened.unseen):
            yield self._record(index, opened, Window[T](window, reason=reason), {})
        opened.unseen, opened.ended = set(), True
        if opened.finished:
            yield index, FINISHED

    def _encoded(self, batches: MicroBatches[T], under_way: dict[int, _Open]) -> Iterator[Step]:
        for index, window, tensors in batches.encode():
            opened = under_way[index]
            opened.waiting -= 1
            yield self._record(index, opened, window, tensors)
            if opened.finished:
                yield index, FINISHED

    def _record(self, index: int, opened: _Open, window: Window[T], tensors: Tensors) -> Step:
        metrics.WINDOWS.labels(self._branch.modality, status_of(window.reason)).inc()
        return index, record(opened.segment, self._branch.modality, window, opened.runtime, tensors)

    def _decode(self, task: Task) -> Iterator[Window[T]]:
        """The branch's windows, in the prefetch thread; observes their time without the reader's."""
        spent = 0.0
        windows = self._branch.windows(task.message)
        with closing(windows), bind(job_id=task.job_id, traceparent=task.traceparent):
            while True:
                start = perf_counter()
                try:
                    window = next(windows, None)
                finally:
                    spent += perf_counter() - start
                if window is None:
                    break
                yield window
        metrics.DECODE_SECONDS.labels(self._branch.modality).observe(spent)
