"""An object as a random-access source of bytes, for the media decoder."""

from collections import OrderedDict
from threading import Lock

from shared.storage.object_store import MIB, ObjectStore


class ObjectSource:
    """Reads only what is asked for, in cached blocks; a small object whole, in one request.

    Satisfies the media `ByteSource`. Raises `Transient` and `ObjectMissing` as the store does.
    """

    def __init__(
        self, store: ObjectStore, key: str, size: int | None = None,
        *, block: int = MIB, whole: int = 8 * MIB, blocks_kept: int = 32,
    ) -> None:
        self._store, self._key, self._kept = store, key, blocks_kept
        self.size = store.stat(key).size if size is None else size
        self.bytes_fetched = 0
        self._block = max(1, self.size) if self.size <= whole else block
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._lock = Lock()

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset`; fewer at the end, b"" past it."""
        end = min(offset + length, self.size)
        if offset < 0 or end <= offset:
            return b""
        first, last = offset // self._block, (end - 1) // self._block
        with self._lock:
            joined = b"".join(self._span(first, last))
        start = first * self._block
        return joined[offset - start : end - start]

    def _span(self, first: int, last: int) -> list[bytes]:
        """Blocks first..last; each run of missing ones costs one request."""
        found = {i: self._blocks[i] for i in range(first, last + 1) if i in self._blocks}
        missing = [i for i in range(first, last + 1) if i not in found]
        while missing:
            run = 1
            while run < len(missing) and missing[run] == missing[0] + run:
                run += 1
            found |= self._fetch(missing[0], run)
            missing = missing[run:]
        for index, data in found.items():
            self._blocks[index] = data
            self._blocks.move_to_end(index)
        while len(self._blocks) > self._kept:
            self._blocks.popitem(last=False)
        return [found[i] for i in range(first, last + 1)]

    def _fetch(self, first: int, count: int) -> dict[int, bytes]:
        data = self._store.read_range(self._key, first * self._block, count * self._block)
        self.bytes_fetched += len(data)
        return {first + i: data[i * self._block : (i + 1) * self._block] for i in range(count)}
