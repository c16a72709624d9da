"""Between Faust's stream and the processing step: batches, acknowledgement, rebalances.

Inputs are acknowledged in the order of the log, only after `Fusion.process` returned, and only if no
rebalance began meanwhile: Faust commits past unacknowledged records (a gap of one, and any gap before
the first commit), and around rebalances it delivers out of order, so its order is not trusted.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from faust import App
from faust.types import EventT

from services.fusion.acks import Acks, Place
from services.fusion.housekeeping import Housekeeping
from services.fusion.step import Fusion
from shared.contracts.records import Record
from shared.observability import metrics

log = logging.getLogger(__name__)
QUIET_S = 1.0
STALLED_S = 60.0


class RecordsMissing(Exception):
    """Faust did not deliver a record, or the log has a hole: a new start reads again from the last commit."""


@dataclass(frozen=True, slots=True)
class _Item:
    epoch: int
    event: EventT[Any]
    record: Record


class Runner:
    """`take` feeds it, `run` works; both in one event loop."""

    def __init__(self, app: App, fusion: Fusion, housekeeping: Housekeeping, batch: int) -> None:
        self._app, self._fusion, self._housekeeping, self._batch = app, fusion, housekeeping, batch
        self._queue: asyncio.Queue[_Item] = asyncio.Queue(maxsize=2 * batch)
        self._working = asyncio.Lock()
        self._epoch = 0
        self._recovered = self._fresh = False
        self._starts: Mapping[Place, int] = {}
        self._acks: Acks[EventT[Any]] = Acks({})

    async def take(self, event: EventT[Any]) -> None:
        """Waits while the queue is full, which in turn pauses Faust's fetching."""
        await self._queue.put(_Item(self._epoch, event, _record(event)))

    async def run(self) -> None:
        """Until cancelled; what it raises must end the process, for its inputs are not done."""
        while True:
            items = await self._next()
            async with self._working:
                if self._recovered:
                    await self._keep_house()
                    await self._work(items)

    async def pause(self) -> None:
        """Partitions are being revoked: what is in work ends first, what is queued is dropped."""
        self._recovered = False
        self._epoch += 1
        async with self._working:
            metrics.IN_FLIGHT.set(0)

    async def finish(self) -> None:
        """The process ends: what is in work ends first and is acknowledged, what is queued is dropped."""
        self._recovered = False
        async with self._working:
            self._epoch += 1

    async def resume(self) -> None:
        """The state is recovered."""
        self._recovered = self._fresh = True

    @property
    def ready(self) -> bool:
        return self._recovered and not self._fresh and bool(self._partitions())

    async def _keep_house(self) -> None:
        if self._fresh:
            await self._housekeeping.start(self._partitions())
            self._fresh = False
        else:
            await self._housekeeping.maybe(self._partitions())
        if self._acks.stalled_s() > STALLED_S:
            raise RecordsMissing(f"in {STALLED_S:.0f} s an earlier record than those finished never came")

    async def _next(self) -> list[_Item]:
        items = []
        try:
            items.append(await asyncio.wait_for(self._queue.get(), QUIET_S))
        except TimeoutError:
            return items
        while len(items) < self._batch and not self._queue.empty():
            items.append(self._queue.get_nowait())
        return items

    async def _work(self, items: list[_Item]) -> None:
        current = [i for i in items if self._current(i)]
        if not current:
            return
        metrics.IN_FLIGHT.set(len(current))
        await self._fusion.process([item.record for item in current])
        metrics.IN_FLIGHT.set(0)
        for item in current:
            if self._current(item):
                self._acknowledge(item)

    def _acknowledge(self, item: _Item) -> None:
        consumer: Any = self._app.consumer
        if consumer.starts is not self._starts:
            self._starts = consumer.starts
            self._acks = Acks(self._starts)
        place = item.record.topic, item.record.partition
        for event in self._acks.finish(place, item.record.offset, item.event):
            event.ack()

    def _current(self, item: _Item) -> bool:
        """False for what was fetched before a rebalance: it is fetched again."""
        generation = item.event.message.generation_id
        return item.epoch == self._epoch and generation == self._app.consumer_generation_id

    def _partitions(self) -> list[int]:
        """Those whose state is ours."""
        return sorted({tp.partition for tp in self._app.assignor.assigned_actives()})


def _record(event: EventT[Any]) -> Record:
    message = event.message
    stamp = int((message.timestamp or time.time()) * 1000)
    headers: Any = message.headers or ()  # Faust's type allows more than its aiokafka driver gives
    return Record(
        message.topic, message.partition, message.offset, message.key, message.value, tuple(headers), stamp
    )
