"""The SQLite read model: one writer, readers beside it, offsets in the same transaction."""

import logging
import queue
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from services.ingest.read_model import rows
from services.ingest.read_model.fold import apply
from services.ingest.read_model.schema import connect, discard, open_database
from services.ingest.read_model.state import JobState, Summary
from shared.contracts.codec import decode
from shared.contracts.outcomes import InvalidRecord
from shared.contracts.records import Record
from shared.contracts.topics import EXPLANATIONS, JOB_CONTROL, JOBS, VERDICTS, WINDOW_SCORES

log = logging.getLogger(__name__)

Positions = dict[tuple[str, int], int]
FOLLOWED = tuple(t.name for t in (JOBS, JOB_CONTROL, WINDOW_SCORES, VERDICTS, EXPLANATIONS))


class ReadModel:
    """Threads may share it. Times are UTC."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = open_database(path)
        self._writing = threading.Lock()
        self._idle: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()

    def positions(self) -> Positions:
        """Of each partition, the offset of the next record to fold."""
        with self._reading() as db:
            found = db.execute("SELECT topic, partition, next FROM positions").fetchall()
        return {(topic, partition): following for topic, partition, following in found}

    def fold(self, records: Sequence[Record]) -> set[str]:
        """Takes the records in, all or none; gives the ids of the jobs that changed."""
        changed: set[str] = set()
        with self._transaction() as db:
            for record in records:
                try:
                    message = decode(record)
                except InvalidRecord as error:  # its own consumers dead-letter it
                    place = record.topic, record.partition, record.offset
                    log.warning("not folded: %s/%s/%s: %s", *place, error)
                    continue
                if apply(db, record, message):
                    changed.add(message.job_id)
            following = {(r.topic, r.partition): r.offset + 1 for r in records}
            db.executemany(
                "INSERT INTO positions VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET next = excluded.next",
                [(*place, offset) for place, offset in following.items()],
            )
        return changed

    def forget(self, ends: Mapping[tuple[str, int], int]) -> bool:
        """Starts anew if the log is not the one that was folded: it ends before our position."""
        if all(offset <= ends.get(place, 0) for place, offset in self.positions().items()):
            return False
        self.close()
        discard(self._path)
        self._writer = open_database(self._path)
        return True

    def get(self, job_id: str) -> JobState | None:
        """The job, or None where no record accepted it (yet)."""
        with self._reading() as db:
            row = db.execute(rows.ONE, (job_id,)).fetchone()
            if row is None:
                return None
            scores = db.execute(rows.SCORES, (job_id,)).fetchall()
        return rows.state(row, [body for (body,) in scores])

    def newest(self, limit: int, before: tuple[float, str] | None, deleted_after: datetime) -> list[Summary]:
        """At most `limit` jobs, newest first, older than `before` (created_at, job_id)."""
        created, job_id = before or (float("inf"), "")
        with self._reading() as db:
            values = (created, created, job_id, deleted_after.timestamp(), limit)
            found = db.execute(rows.NEWEST, values).fetchall()
        return [rows.summary(row) for row in found]

    def overdue(self, now: datetime) -> list[tuple[str, int]]:
        """(job_id, partition) of planned jobs without a verdict whose deadline passed."""
        return self._pairs("status = 'running' AND verdict IS NULL AND deadline < ?", now.timestamp())

    def unplanned(self, before: datetime) -> list[tuple[str, int]]:
        """(job_id, partition) of jobs accepted before `before` and never planned."""
        return self._pairs("status = 'pending' AND created_at < ?", before.timestamp())

    def unswept(self, deleted_before: datetime) -> list[tuple[str, int]]:
        """(job_id, partition) of deleted jobs whose objects this replica did not look at again."""
        return self._pairs("deleted_at < ? AND NOT swept", deleted_before.timestamp())

    def expired(self, created_before: datetime) -> list[tuple[str, int]]:
        """(job_id, partition) of jobs older than the installation keeps."""
        return self._pairs("created_at < ? AND deleted_at IS NULL", created_before.timestamp())

    def mark_swept(self, job_id: str) -> None:
        with self._transaction() as db:
            db.execute("UPDATE jobs SET swept = 1 WHERE job_id = ?", (job_id,))

    def give_up_explanations(self, verdict_before: datetime) -> list[str]:
        """Completes jobs whose explanation did not come; gives their ids."""
        with self._transaction() as db:
            found = db.execute(rows.GIVE_UP, (int(verdict_before.timestamp() * 1000),)).fetchall()
        return [job_id for (job_id,) in found]

    def oldest_unfinished(self) -> datetime | None:
        """When the oldest job that is pending or running was accepted."""
        with self._reading() as db:
            (oldest,) = db.execute(rows.OLDEST_UNFINISHED).fetchone()
        return None if oldest is None else datetime.fromtimestamp(oldest, UTC)

    def doubt(self, uri: str, job_id: str, since: datetime) -> None:
        """Remember an object that is nobody's until a record names it; that record's fold forgets it."""
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO doubts VALUES (?, ?, ?)", (uri, job_id, since.timestamp()))

    def doubts(self, before: datetime) -> list[tuple[str, str]]:
        """(uri, job_id) of what has been in doubt since before `before`."""
        with self._reading() as db:
            found = db.execute("SELECT uri, job_id FROM doubts WHERE since < ?", (before.timestamp(),))
            return [(uri, job_id) for uri, job_id in found.fetchall()]

    def settle(self, uri: str) -> None:
        with self._transaction() as db:
            db.execute("DELETE FROM doubts WHERE uri = ?", (uri,))

    def close(self) -> None:
        with self._writing:
            self._writer.close()
            while not self._idle.empty():
                self._idle.get().close()

    def _pairs(self, condition: str, value: float) -> list[tuple[str, int]]:
        statement = f"SELECT job_id, partition FROM jobs WHERE {condition} AND {rows.EXISTS} LIMIT 1000"  # noqa: S608
        with self._reading() as db:
            return [(job_id, partition) for job_id, partition in db.execute(statement, (value,)).fetchall()]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = connect(self._path)
        try:
            yield connection
        finally:
            self._idle.put(connection)
