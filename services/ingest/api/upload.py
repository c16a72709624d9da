"""An uploaded file on its way into the object store: judged, counted and hashed as it arrives."""

import asyncio
import hashlib
from contextlib import suppress
from typing import Any

from services.ingest.api.context import Api
from services.ingest.api.pipe import Pipe
from shared.contracts.jobs import MediaRef
from shared.contracts.outcomes import BadMedia, Transient
from shared.media.sniff import sniff
from shared.storage.keys import uri

SNIFFED = 4096
IN_MEMORY = 4 * 1024 * 1024  # a file up to this size is written in one request, from memory


class Abandoned(Exception):
    """The upload ended before its file did."""


class Upload:
    """`job_id` and `key` say whose and where; key None: only judge and hash.

    `write` and `finish` raise `BadMedia` and `Transient`."""

    def __init__(self, api: Api, job_id: str, key: str | None, filename: str) -> None:
        self._api, self._job_id, self._key, self._filename = api, job_id, key, filename
        self._uri = uri(api.store.bucket, key) if key else ""
        self._digest, self._size = hashlib.sha256(), 0
        self._buffer = bytearray()
        self._judged = self._begun = False
        self._pipe: Pipe | None = None
        self._stored: asyncio.Future[Any] | None = None

    async def write(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._api.max_bytes:
            raise BadMedia("too_large", f"more than {self._api.max_bytes} bytes")
        self._digest.update(data)
        self._buffer += data
        if not self._judged and len(self._buffer) >= SNIFFED:
            self._judge()
        if self._key is None and self._judged:
            self._buffer.clear()
        elif self._key and len(self._buffer) > IN_MEMORY:
            await self._flush(self._key)

    async def finish(self) -> MediaRef:
        """The file is whole and stored."""
        if not self._judged:
            self._judge()
        if self._pipe and self._stored and self._key:
            await self._flush(self._key)
            self._pipe.end()
            await self._stored
        elif self._key:
            self._begun = True
            await self._api.blocking(self._put, self._key, bytes(self._buffer))
        return MediaRef(
            uri=self._uri, size=self._size, sha256=self._digest.hexdigest(), filename=self._filename
        )

    async def abandon(self) -> None:
        """Leaves nothing behind, or leaves it to the sweeper while the store is away."""
        if self._pipe and self._stored:
            self._pipe.end(Abandoned())
            await asyncio.wait({self._stored})
            self._stored.exception()
        if self._key and self._begun:
            with suppress(Transient):
                await self._api.blocking(self._api.store.remove, self._key)

    def _judge(self) -> None:
        self._judged = True
        sniff(bytes(self._buffer[:SNIFFED]))

    async def _flush(self, key: str) -> None:
        if self._pipe is None or self._stored is None:
            self._begun, self._pipe = True, Pipe()
            loop = asyncio.get_running_loop()
            self._stored = loop.run_in_executor(self._api.streams, self._put_stream, key, self._pipe)
        if self._buffer:
            await self._pipe.write(bytes(self._buffer), self._stored)
            self._buffer.clear()

    def _put(self, key: str, data: bytes) -> None:
        self._note()
        self._api.store.put(key, data)

    def _put_stream(self, key: str, pipe: Pipe) -> None:
        self._note()
        self._api.store.put_stream(key, pipe)

    def _note(self) -> None:
        """Before there is an object, so that a crash at any point leaves none that nobody knows of."""
        self._api.model.doubt(self._uri, self._job_id, self._api.clock())
