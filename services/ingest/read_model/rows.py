"""Rows of the read model as objects."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

from services.ingest.read_model.state import JobState, Summary
from shared.contracts.base import Event
from shared.contracts.jobs import JobAccepted, Planned, Rejected
from shared.contracts.results import Explained, Verdict, WindowScored

EXISTS = "(accepted IS NOT NULL OR deleted_at IS NOT NULL)"
ONE = f"SELECT * FROM jobs WHERE job_id = ? AND {EXISTS}"  # noqa: S608 literals
SCORES = "SELECT body FROM windows WHERE job_id = ? ORDER BY window"
OLDEST_UNFINISHED = "SELECT min(created_at) FROM jobs WHERE status IN ('pending', 'running')"
GIVE_UP = (
    "UPDATE jobs SET unexplained = 1 WHERE status = 'running' AND verdict IS NOT NULL AND updated_ms < ?"
    " RETURNING job_id"
)
NEWEST = f"""
SELECT job_id, status, created_at, updated_ms, json_extract(verdict, '$.verdict') AS verdict,
       json_extract(verdict, '$.p_fake') AS p_fake,
       coalesce(json_extract(verdict, '$.error.code'), json_extract(rejected, '$.error.code')) AS error_code
FROM jobs
WHERE (created_at < ? OR (created_at = ? AND job_id < ?)) AND (deleted_at IS NULL OR deleted_at > ?)
      AND {EXISTS}
ORDER BY created_at DESC, job_id DESC LIMIT ?
"""  # noqa: S608 literals

E = TypeVar("E", bound=Event)


def state(row: sqlite3.Row, windows: Sequence[str]) -> JobState:
    """The job of a whole row and the bodies of its scored windows."""
    deleted_at = row["deleted_at"]
    return JobState(
        job_id=row["job_id"], status=row["status"], partition=row["partition"],
        position=-1 if row["position"] is None else row["position"],
        created_at=_time(row["created_at"]), updated_at=_updated(row),
        accepted=_body(JobAccepted, row["accepted"]), planned=_body(Planned, row["planned"]),
        rejected=_body(Rejected, row["rejected"]), verdict=_body(Verdict, row["verdict"]),
        explained=_body(Explained, row["explained"]),
        deleted_at=None if deleted_at is None else _time(deleted_at),
        deleted_position=row["deleted_position"],
        windows=tuple(WindowScored.model_validate_json(body) for body in windows),
    )


def summary(row: sqlite3.Row) -> Summary:
    """A row of `NEWEST`."""
    return Summary(
        job_id=row["job_id"], status=row["status"], created_at=_time(row["created_at"]),
        updated_at=_updated(row), verdict=row["verdict"], p_fake=row["p_fake"], error_code=row["error_code"],
    )


def _body(kind: type[E], body: str | None) -> E | None:
    return None if body is None else kind.model_validate_json(body)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _updated(row: sqlite3.Row) -> datetime:
    return _time(max(row["created_at"], row["updated_ms"] / 1000))
