"""What the services need from an object store, and the names of what can go wrong there.

Unreachable, timed out, overloaded, full or misconfigured is `shared.contracts.outcomes.Transient` with
the cause in its text; `ObjectMissing` is an answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

MIB = 1024 * 1024


class ObjectMissing(Exception):
    """There is no such object, or no such bucket, or in a foreign bucket it may not be read."""


@dataclass(frozen=True, slots=True)
class ObjectStat:
    """`size` in bytes; `etag` changes with the content."""

    size: int
    etag: str
    content_type: str


class Reader(Protocol):
    """Anything with `read(n)`: at most n bytes, and b"" only at the end."""

    def read(self, n: int, /) -> bytes: ...


class ObjectStore(Protocol):
    """One bucket. Every method may raise `Transient`; threads may share one store."""

    @property
    def bucket(self) -> str: ...

    def put(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> ObjectStat: ...

    def put_stream(
        self, key: str, stream: Reader, content_type: str = "application/octet-stream", size: int = -1
    ) -> ObjectStat:
        """Write to the stream's end in bounded memory. `size` in bytes is only a hint.

        Whatever the stream raises comes out unchanged, and no object is left."""

    def get(self, key: str) -> bytes:
        """The whole object. Raises `ObjectMissing`."""

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        """At most `length` bytes, fewer at the object's end, b"" past it. Raises `ObjectMissing`."""

    def iter_bytes(self, key: str, chunk: int = MIB) -> Iterator[bytes]:
        """The object in pieces of `chunk` bytes, each its own request. Raises `ObjectMissing` at once."""

    def stat(self, key: str) -> ObjectStat:
        """Raises `ObjectMissing`."""

    def copy_in(self, bucket: str, key: str, to_key: str) -> ObjectStat:
        """Copy an object of another bucket into this one, server side. Raises `ObjectMissing`."""

    def list(self, prefix: str) -> Iterator[str]:
        """Keys that start with `prefix`, sorted."""

    def remove(self, key: str) -> None:
        """A missing object is no error."""

    def remove_prefix(self, prefix: str) -> None: ...

    def within(self, bucket: str) -> "ObjectStore":
        """The same store, another bucket."""

    def ensure_buckets(self) -> None:
        """Create this bucket and the inbox where they do not exist."""

    def healthy(self) -> bool:
        """Whether the store answers now and has the bucket. Never raises."""
