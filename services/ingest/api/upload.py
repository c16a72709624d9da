"""An uploaded file on its way into the object store: judged, counted and hashed as it arrives."""

import asyncio
import hashlib
from contextlib import suppress
from uuid import uuid4

from services.ingest.api.context import Api
from services.ingest.api.pipe import Pipe
from shared.contracts.jobs import MediaRef
from shared.contracts.outcomes import BadMedia, Transient
from shared.media.sniff import sniff
from shared.storage.keys import media_key, uri

SNIFFED = 4096
IN_MEMORY = 4 * 1024 * 1024  # a file up to this size is written in one request, from memory


class Abandoned(Exception):
    """The upload ended before its file did."""


class Upload:
    """Of job `job_id`; with `stored` False only judged and hashed.

    `shared`: others may be sending the same job now. Then the file's place is named by its content: a
    repeat finds its own bytes there, another body never overwrites them, and the plan, and so the
    verdict, do not depend on the attempt. `write` and `finish` raise `BadMedia` and `Transient`."""

    def __init__(self, api: Api, job_id: str, filename: str, *, stored: bool, shared: bool) -> None:
        self._api, self._job_id, self._filename = api, job_id, filename
        self._is_stored, self._shared = stored, shared
        self._digest, self._size = hashlib.sha256(), 0
        self._buffer = bytearray()
        self._judged = False
        self._own_key = media_key(job_id) + (f"-{uuid4().hex}" if shared else "")
        self._pipe: Pipe | None = None
        self._streaming: asyncio.Future[None] | None = None

    async def write(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._api.max_bytes:
            raise BadMedia("too_large", f"more than {self._api.max_bytes} bytes")
        self._digest.update(data)
        self._buffer += data
        if not self._judged and len(self._buffer) >= SNIFFED:
            self._judge()
        if self._judged and not self._is_stored:
            self._buffer.clear()
        elif len(self._buffer) > IN_MEMORY:
            await self._flush()

    async def finish(self) -> MediaRef:
        """The file is whole and stored."""
        if not self._judged:
            self._judge()
        sha256 = self._digest.hexdigest()
        key = f"{media_key(self._job_id)}-{sha256[:16]}" if self._shared else self._own_key
        if self._pipe and self._streaming:
            await self._flush()
            self._pipe.end()
            await self._streaming
            if key != self._own_key:
                await self._api.blocking(self._move, key)
        elif self._is_stored:
            await self._api.blocking(self._put, key, bytes(self._buffer))
        place = uri(self._api.store.bucket, key) if self._is_stored else ""
        return MediaRef(uri=place, size=self._size, sha256=sha256, filename=self._filename)

    async def abandon(self) -> None:
        """Leaves nothing behind, or leaves it to the sweeper while the store is away."""
        if self._pipe and self._streaming:
            self._pipe.end(Abandoned())
            await asyncio.wait({self._streaming})
            self._streaming.exception()
            with suppress(Transient):
                await self._api.blocking(self._api.store.remove, self._own_key)

    def _judge(self) -> None:
        self._judged = True
        sniff(bytes(self._buffer[:SNIFFED]))

    async def _flush(self) -> None:
        if self._pipe is None or self._streaming is None:
            self._pipe, loop = Pipe(), asyncio.get_running_loop()
            self._streaming = loop.run_in_executor(self._api.streams, self._put_stream, self._pipe)
        if self._buffer:
            await self._pipe.write(bytes(self._buffer), self._streaming)
            self._buffer.clear()

    def _put(self, key: str, data: bytes) -> None:
        self._note(key)
        self._api.store.put(key, data)

    def _put_stream(self, pipe: Pipe) -> None:
        self._note(self._own_key)
        self._api.store.put_stream(self._own_key, pipe)

    def _move(self, key: str) -> None:
        self._note(key)
        self._api.store.copy_in(self._api.store.bucket, self._own_key, key)
        self._api.store.remove(self._own_key)

    def _note(self, key: str) -> None:
        """Before there is an object, so that a crash at any point leaves none that nobody knows of."""
        self._api.model.doubt(uri(self._api.store.bucket, key), self._job_id, self._api.clock())
