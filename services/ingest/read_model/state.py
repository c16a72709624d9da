"""A job as the read model knows it."""

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.job_view import JobStatus
from shared.contracts.jobs import JobAccepted, Planned, Rejected
from shared.contracts.results import Explained, Verdict, WindowScored

TERMINAL = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True)
class JobState:
    """`partition` and `position` are those of the winning record on `jobs-v1`.

    `windows` are the scores so far, by index; empty once there is a verdict, whose series has them.
    Of a deleted job nothing but the times is kept."""

    job_id: str
    status: JobStatus
    partition: int
    position: int
    created_at: datetime
    updated_at: datetime
    accepted: JobAccepted | None = None
    planned: Planned | None = None
    rejected: Rejected | None = None
    verdict: Verdict | None = None
    explained: Explained | None = None
    deleted_at: datetime | None = None
    deleted_position: int | None = None
    windows: tuple[WindowScored, ...] = ()

    @property
    def terminal(self) -> bool:
        return self.status in TERMINAL


@dataclass(frozen=True)
class Summary:
    """A line of the list of jobs."""

    job_id: str
    status: JobStatus
    created_at: datetime
    updated_at: datetime
    verdict: str | None
    p_fake: float | None
    error_code: str | None
