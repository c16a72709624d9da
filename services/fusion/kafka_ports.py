"""The step's ports on Faust's producer and table: every send's acknowledgement is awaited."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

from faust import App

from services.fusion.ports import Change
from services.fusion.store import JoinStore, JoinTable
from shared.contracts.outcomes import Transient
from shared.contracts.records import Outgoing
from shared.observability import metrics


class KafkaPorts:
    """`app.producer` keeps the order of what is sent to one partition (idempotent, see `faust_app`)."""

    def __init__(self, app: App, table: JoinTable, timeout_s: float) -> None:
        self._app, self._table, self._timeout_s = app, table, timeout_s

    @property
    def store(self) -> JoinStore:
        store: Any = self._table.data
        found: JoinStore = store
        return found

    def read(self, partition: int, key: bytes) -> bytes | None:
        return self.store.read(partition, key)

    async def write(self, partition: int, changes: Sequence[Change]) -> None:
        if not changes:
            return
        topic = self._table.changelog_topic_name
        sent = [await self._send(topic, key, value, partition, ()) for key, value in changes]
        places = await self._acknowledged(sent)
        self.store.apply(partition, changes, max(place.offset for place in places))

    async def publish(self, records: Sequence[Outgoing]) -> None:
        sent = [await self._send(r.topic, r.key, r.value, r.partition, r.headers) for r in records]
        await self._acknowledged(sent)
        for record in records:
            metrics.RECORDS_OUT.labels(record.topic).inc()

    async def _send(
        self, topic: str, key: bytes | None, value: bytes | None, partition: int | None, headers: Any
    ) -> Awaitable[Any]:
        return await self._app.producer.send(topic, key, value, partition, None, list(headers))

    async def _acknowledged(self, sent: Sequence[Awaitable[Any]]) -> list[Any]:
        try:
            async with asyncio.timeout(self._timeout_s):
                return list(await asyncio.gather(*sent))
        except TimeoutError as error:
            raise Transient(f"no acknowledgement from the broker in {self._timeout_s} s") from error
