"""Join state in a Faust table: RocksDB here, a compacted changelog topic in Kafka.

Assigning and recovering the table is Faust's. Writing is ours, for two reasons. `table[key] = value`
drops the future of its changelog record, so its acknowledgement cannot be awaited and its loss goes
unseen. And it writes RocksDB before the changelog: after a crash in between, the local state knows
a record that a recovery elsewhere would not, the replayed record counts as a duplicate, and it is
lost. Here the changelog's acknowledgement comes first, then RocksDB takes value and offset in one
batch, so the local state is always a prefix of the changelog.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import rocksdict
from faust import App
from faust.stores.rocksdb import Store
from faust.tables import Table

from services.fusion.ports import Change

OPTIONS = {
    "driver": "rocksdict", "block_cache_size": 2 * 1024**2, "write_buffer_size": 2 * 1024**2,
    "max_write_buffer_number": 2, "target_file_size_base": 8 * 1024**2, "max_open_files": 64,
}  # one database a partition, 24 of them
CHANGELOG = {  # small segments, compacted soon: a new machine reads it all before it can work
    "max.message.bytes": str(5 * 1024**2), "segment.bytes": str(8 * 1024**2),
    "segment.ms": str(600 * 1000), "min.cleanable.dirty.ratio": "0.1",
    "delete.retention.ms": str(3600 * 1000),
}


class JoinStore(Store):
    """RocksDB by partition, with nothing implicit about which partition."""

    def read(self, partition: int, key: bytes) -> bytes | None:
        """Raises `KeyError` for a partition that is not ours."""
        value: bytes | None = self._dbs[partition].get(key)
        return value

    def apply(self, partition: int, changes: Sequence[Change], offset: int) -> None:
        """Changes that the changelog has up to `offset`; nothing if the partition is no longer ours."""
        database = self._dbs.get(partition)
        if database is None:
            return
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, value in changes:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(self.offset_key, str(offset).encode())
        database.write(batch)

    def scan(self, partition: int, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values under `prefix`, in order."""
        for key, value in self._dbs[partition].items(from_key=prefix):
            if not key.startswith(prefix):
                return
            yield key, value


class JoinTable(Table[bytes, bytes]):
    """The table, with its own kind of store."""

    def _new_store(self) -> JoinStore:
        return JoinStore(
            "rocksdb://", self.app, self, table_name=self.name, key_type=bytes, value_type=bytes,
            key_serializer="raw", value_serializer="raw", loop=self.loop, options=dict(OPTIONS),
        )


def open_table(app: App, partitions: int) -> JoinTable:
    """Registers the table under the app; to be called before the app starts."""
    table: Any = app.tables.add(
        JoinTable(
            app, name="join", partitions=partitions, key_type=bytes, value_type=bytes,
            extra_topic_configs=CHANGELOG, beacon=app.tables.beacon,
        )
    )
    found: JoinTable = table
    return found
