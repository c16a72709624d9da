"""Bytes from a coroutine to a thread, with little in between."""

import asyncio
from queue import SimpleQueue
from typing import Any

DEPTH = 8  # pieces waiting in between


class Pipe:
    """The coroutine writes; the thread reads as from a file (`shared.storage.object_store.Reader`)."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Semaphore(DEPTH)
        self._pieces: SimpleQueue[bytes | Exception] = SimpleQueue()
        self._rest = b""

    async def write(self, piece: bytes, reader: "asyncio.Future[Any]") -> None:
        """Waits for room, but not for a reader that is done: then its outcome is raised or dropped."""
        room: asyncio.Future[Any] = asyncio.ensure_future(self._room.acquire())
        await asyncio.wait({room, reader}, return_when=asyncio.FIRST_COMPLETED)
        if reader.done():
            room.cancel()
            reader.result()
            return
        self._pieces.put(piece)

    def end(self, error: Exception | None = None) -> None:
        """The reader sees the end of the stream, or `error`."""
        self._pieces.put(error or b"")

    def read(self, n: int, /) -> bytes:
        if not self._rest:
            piece = self._pieces.get()
            if isinstance(piece, Exception):
                raise piece
            if not piece:
                self._pieces.put(b"")  # the end stays the end
                return b""
            self._rest = piece
            self._loop.call_soon_threadsafe(self._room.release)
        taken, self._rest = self._rest[:n], self._rest[n:]
        return taken
