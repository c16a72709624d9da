"""One message into the tables. Idempotent, in any order between topics; the first record wins.

Only jobs-v1 decides whether a job exists: what other topics say of a job waits in its row until then.
After a deletion nothing else is taken in.
"""

import sqlite3

from shared.contracts.codec import Message
from shared.contracts.jobs import Cancelled, JobAccepted, JobDeleted, Planned, Rejected
from shared.contracts.records import Record
from shared.contracts.results import Explained, Verdict, WindowScored

_UPDATES: dict[type, str] = {
    Rejected: "rejected = :body WHERE rejected IS NULL",
    Explained: "explained = :body WHERE explained IS NULL",
    Cancelled: "cancelled = 1 WHERE NOT cancelled",
}


def apply(db: sqlite3.Connection, record: Record, message: Message) -> bool:
    """Whether the message changed anything."""
    if isinstance(message, JobDeleted):
        changed = _delete(db, record, message)
    elif isinstance(message, JobAccepted):
        changed = _update(
            db, message.job_id, "partition = :partition, position = :position, created_at = :created,"
            " wants_explanation = :explain, accepted = :body WHERE accepted IS NULL",
            body=message.model_dump_json(), partition=record.partition, position=record.offset,
            created=message.created_at.timestamp(), explain=message.options.explain,
        )
        if changed:
            db.execute("DELETE FROM doubts WHERE uri = ?", (message.media.uri,))
    elif isinstance(message, Planned):
        changed = _update(
            db, message.job_id, "planned = :body, deadline = :deadline WHERE planned IS NULL",
            body=message.model_dump_json(), deadline=message.deadline.timestamp(),
        )
    elif isinstance(message, Verdict):
        changed = _update(
            db, message.job_id, "verdict = :body, verdict_outcome = :outcome WHERE verdict IS NULL",
            body=message.model_dump_json(), outcome=message.outcome,
        )
        db.execute("DELETE FROM windows WHERE job_id = ?", (message.job_id,))
    elif isinstance(message, WindowScored):
        changed = _score(db, message)
    elif (update := _UPDATES.get(type(message))) and isinstance(message, Rejected | Explained | Cancelled):
        changed = _update(db, message.job_id, update, body=message.model_dump_json())
    else:
        return False  # e.g. DeadlinePassed: fusion's verdict follows
    if changed:
        db.execute("UPDATE jobs SET updated_ms = max(updated_ms, ?) WHERE job_id = ?",
                   (record.timestamp_ms or 0, message.job_id))
    return changed


def _update(db: sqlite3.Connection, job_id: str, update: str, **values: object) -> bool:
    _row(db, job_id)
    statement = f"UPDATE jobs SET {update} AND deleted_at IS NULL AND job_id = :job_id"  # noqa: S608 literals
    return db.execute(statement, {"job_id": job_id, **values}).rowcount > 0


def _row(db: sqlite3.Connection, job_id: str) -> None:
    db.execute("INSERT OR IGNORE INTO jobs (job_id) VALUES (?)", (job_id,))


def _delete(db: sqlite3.Connection, record: Record, message: JobDeleted) -> bool:
    _row(db, message.job_id)
    db.execute("DELETE FROM windows WHERE job_id = ?", (message.job_id,))
    deleted_at = message.deleted_at.timestamp()
    return db.execute(
        "UPDATE jobs SET deleted_at = ?, deleted_position = ?, partition = ?,"
        " created_at = coalesce(created_at, ?), accepted = NULL, planned = NULL, rejected = NULL,"
        " verdict = NULL, explained = NULL WHERE deleted_at IS NULL AND job_id = ?",
        (deleted_at, record.offset, record.partition, deleted_at, message.job_id),
    ).rowcount > 0


def _score(db: sqlite3.Connection, message: WindowScored) -> bool:
    _row(db, message.job_id)
    return db.execute(
        "INSERT OR IGNORE INTO windows SELECT job_id, ?, ? FROM jobs"
        " WHERE job_id = ? AND verdict IS NULL AND deleted_at IS NULL",
        (message.window_index, message.model_dump_json(), message.job_id),
    ).rowcount > 0
