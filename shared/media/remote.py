"""The file a child sees: bytes its parent hands over."""

import io
import socket
from collections import OrderedDict

from shared.media import wire

BLOCK = 128 * 1024
_BLOCKS = 64


class RemoteFile(io.RawIOBase):
    """Read-only and seekable; keeps the last blocks, since demuxers go back and forth.

    `fetched` counts the bytes that came from the parent.
    """

    def __init__(self, session: socket.socket, size: int) -> None:
        self._session, self._size = session, size
        self._position = 0
        self._blocks: OrderedDict[int, bytearray] = OrderedDict()
        self.fetched = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    @property
    def size(self) -> int:
        return self._size

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int = -1) -> bytes:
        """At most what is left of one block: demuxers call again."""
        if self._position >= self._size or size == 0:
            return b""
        number, inside = divmod(self._position, BLOCK)
        block = self._block(number)
        end = len(block) if size < 0 else inside + size
        data = bytes(memoryview(block)[inside:end])
        self._position += len(data)
        return data

    def _block(self, number: int) -> bytearray:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        wire.send(self._session, {"say": "read", "offset": number * BLOCK, "length": BLOCK})
        _, block = wire.receive(self._session)
        self.fetched += len(block)
        self._blocks[number] = block
        if len(self._blocks) > _BLOCKS:
            self._blocks.popitem(last=False)
        return block
