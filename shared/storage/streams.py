"""Streams on their way into the store."""

from shared.storage.object_store import Reader


class Filled:
    """`read(n)` gives n bytes unless the stream ends: S3 parts need an exact size.

    minio-py would add up the pieces of a slow stream one by one, in quadratic time."""

    def __init__(self, stream: Reader) -> None:
        self._stream, self.size = stream, 0

    def read(self, size: int, /) -> bytes:
        filled = bytearray()
        while len(filled) < size:
            piece = self._stream.read(size - len(filled))
            if not piece:
                break
            filled += piece
        self.size += len(filled)
        return bytes(filled)
