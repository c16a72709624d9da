"""The planner's step: what a record of `jobs-v1` makes happen.

    JobAccepted -> Planned and one SegmentPlanned a segment, or Rejected
    JobDeleted  -> Cancelled

`jobs-v1` is compacted, so the last record of a job must be the one that counts: where a losing record
came after it (a repeat with another body, a submission after a deletion), it is written again.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from services.ingest.acquire import acquire
from services.ingest.fetch import Fetcher
from services.ingest.plan import plan, publications, rejection
from services.ingest.read_model import JobState
from services.ingest.rules import Rules
from shared.contracts.base import Event
from shared.contracts.jobs import Cancelled, JobAccepted, JobDeleted, MediaInfo
from shared.contracts.outcomes import BadMedia
from shared.contracts.records import Record
from shared.messaging.handlers import Task
from shared.observability import metrics
from shared.storage import ObjectMissing, ObjectSource, ObjectStore
from shared.storage.keys import parse_uri

log = logging.getLogger(__name__)
Probe = Callable[[ObjectSource, str], MediaInfo]


class Jobs(Protocol):
    """What is known of jobs, up to the topics' ends."""

    def current(self, job_id: str) -> JobState | None:
        """Raises `Transient` while the topics cannot be read to their ends."""


class Planner:
    """`handle` may run in several threads; at most `probes` of them probe at a time."""

    def __init__(
        self, jobs: Jobs, store: ObjectStore, fetcher: Fetcher, probe: Probe, rules: Rules,
        *, probes: int = 2, clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._jobs, self._store, self._fetcher, self._probe = jobs, store, fetcher, probe
        self._rules, self._clock = rules, clock
        self._probing = threading.Semaphore(probes)

    def handle(self, task: Task) -> Iterable[Event]:
        """Raises `Transient` where a dependency is away; bad media are a result."""
        if isinstance(task.message, JobDeleted):
            return [Cancelled(job_id=task.message.job_id)]
        job: JobAccepted = task.message
        state = self._jobs.current(job.job_id)
        if state is None:
            return []  # its row was dropped with another log
        if (head := _head(state, job, task.record)) is not None:
            log.info("a losing record came last: writing the winner again")
            return [head]
        if state.planned is not None and state.verdict is None and state.position == task.record.offset:
            return publications(state.planned)  # a crash may have lost some of them
        if state.terminal or state.planned is not None:
            return []
        return self._plan(job)

    def _plan(self, job: JobAccepted) -> Iterable[Event]:
        try:
            if self._clock() > job.created_at + timedelta(seconds=self._rules.plan_within_s):
                raise BadMedia("deadline_passed")
            media = acquire(job, self._store, self._fetcher, self._rules)
            _, key = parse_uri(media.uri)
            with self._probing:
                info = self._probe(ObjectSource(self._store, key), media.sha256 or "")
            planned = plan(job, info, media.uri, self._rules)
        except ObjectMissing:
            return [self._rejected(job, BadMedia("media_missing"))]
        except BadMedia as fault:
            return [self._rejected(job, fault)]
        state = self._jobs.current(job.job_id)
        if state is None or state.status == "cancelled":
            return []
        metrics.JOBS_PLANNED.inc()
        return publications(planned)

    def _rejected(self, job: JobAccepted, fault: BadMedia) -> Event:
        log.info("rejected", extra={"code": fault.code})
        metrics.JOBS_REJECTED.labels(fault.code).inc()
        return rejection(job.job_id, fault)


def _head(state: JobState, job: JobAccepted, record: Record) -> Event | None:
    """The message that must be the job's last on `jobs-v1`, if `record` took that place from it."""
    if state.deleted_at is not None:
        late = record.offset > (state.deleted_position or 0)
        return JobDeleted(job_id=state.job_id, deleted_at=state.deleted_at) if late else None
    return state.accepted if record.offset > state.position and job != state.accepted else None
