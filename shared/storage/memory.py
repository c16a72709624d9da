"""An `ObjectStore` in memory, for tests and for runs without a server."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.contracts.outcomes import Transient
from shared.storage.object_store import MIB, ObjectMissing, ObjectStat, Reader

Objects = dict[str, tuple[bytes, str]]


@dataclass
class Disk:
    """What all buckets of one store share."""

    buckets: dict[str, Objects] = field(default_factory=dict)
    outage: str | None = None


class MemoryStore:
    """Passes the same behaviour suite as `S3Store`. Set `outage` to a sentence, and all calls raise it."""

    def __init__(self, bucket: str = "veracity", disk: Disk | None = None) -> None:
        self._bucket, self._disk = bucket, disk or Disk()
        self._disk.buckets.setdefault(bucket, {})

    @property
    def outage(self) -> str | None:
        return self._disk.outage

    @outage.setter
    def outage(self, sentence: str | None) -> None:
        self._disk.outage = sentence

    @property
    def bucket(self) -> str:
        return self._bucket

    def within(self, bucket: str) -> "MemoryStore":
        return self if bucket == self._bucket else MemoryStore(bucket, self._disk)

    def put(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> ObjectStat:
        self._objects()[key] = (bytes(data), content_type)
        return self.stat(key)

    def put_stream(
        self, key: str, stream: Reader, content_type: str = "application/octet-stream", size: int = -1
    ) -> ObjectStat:
        self._objects()
        return self.put(key, b"".join(iter(lambda: stream.read(MIB), b"")), content_type)

    def get(self, key: str) -> bytes:
        return self._find(key)[0]

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        return self._find(key)[0][offset : offset + length]

    def iter_bytes(self, key: str, chunk: int = MIB) -> Iterator[bytes]:
        data = self.get(key)
        return (data[start : start + chunk] for start in range(0, len(data), chunk))

    def stat(self, key: str) -> ObjectStat:
        data, content_type = self._find(key)
        return ObjectStat(len(data), hashlib.md5(data, usedforsecurity=False).hexdigest(), content_type)

    def copy_in(self, bucket: str, key: str, to_key: str) -> ObjectStat:
        self._objects()
        if (found := self._disk.buckets.get(bucket, {}).get(key)) is None:
            raise ObjectMissing(f"s3://{bucket}/{key}")
        return self.put(to_key, *found)

    def list(self, prefix: str) -> Iterator[str]:
        return iter(sorted(key for key in self._objects() if key.startswith(prefix)))

    def remove(self, key: str) -> None:
        self._objects().pop(key, None)

    def remove_prefix(self, prefix: str) -> None:
        for key in list(self.list(prefix)):
            self.remove(key)

    def ensure_buckets(self) -> None:
        self._objects()

    def healthy(self) -> bool:
        return self.outage is None

    def _objects(self) -> Objects:
        if self.outage is not None:
            raise Transient(self.outage)
        return self._disk.buckets[self._bucket]

    def _find(self, key: str) -> tuple[bytes, str]:
        if (found := self._objects().get(key)) is None:
            raise ObjectMissing(f"s3://{self._bucket}/{key}")
        return found
