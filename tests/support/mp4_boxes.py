"""MP4 boxes as a tree: found, replaced, lied about. Only what tests need to damage a file with care."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_PARENTS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf", b"edts", b"udta"}
_SIZED = 8  # bytes of size and name


@dataclass(frozen=True)
class Box:
    """`start` and `end` are offsets in the file; `path` e.g. (b"moov", b"trak", b"mdia")."""

    path: tuple[bytes, ...]
    start: int
    end: int

    @property
    def name(self) -> bytes:
        return self.path[-1]

    @property
    def body(self) -> int:
        """Where its content begins."""
        return self.start + _SIZED


def boxes(data: bytes) -> list[Box]:
    """Every box of a well-formed file with 32-bit sizes, parents before children."""
    return list(_boxes(data, 0, len(data), ()))


def find(data: bytes, name: bytes, number: int = 0) -> Box:
    """The box called `name` that comes `number`th in the file."""
    return [box for box in boxes(data) if box.name == name][number]


def box(name: bytes, content: bytes) -> bytes:
    """A box from its content."""
    return struct.pack(">I4s", len(content) + _SIZED, name) + content


def patched(data: bytes, offset: int, content: bytes) -> bytes:
    """The same file with `content` written over what is at `offset`."""
    return data[:offset] + content + data[offset + len(content) :]


def without(data: bytes, gone: Box) -> bytes:
    """The file without a box at its top; nothing else is put right."""
    return data[: gone.start] + data[gone.end :]


def with_moov(data: bytes, extra: bytes) -> bytes:
    """The file with `extra` at the end of its moov, whose size says so. It must come after mdat."""
    moov = find(data, b"moov")
    assert moov.end == len(data), "what comes after moov would move"
    return patched(data, moov.start, struct.pack(">I", moov.end - moov.start + len(extra))) + extra


def _boxes(data: bytes, start: int, end: int, path: tuple[bytes, ...]) -> Iterator[Box]:
    while end - start >= _SIZED:
        size, name = struct.unpack_from(">I4s", data, start)
        assert _SIZED <= size <= end - start, "a box larger than what holds it"
        yield Box((*path, name), start, start + size)
        if name in _PARENTS:
            yield from _boxes(data, start + _SIZED, start + size, (*path, name))
        start += size
