"""What time does to jobs: deadlines, jobs that nobody planned, leftovers of deleted and doubtful ones.

Records are written only for jobs whose partition this replica plans, so that one replica writes them;
objects may be removed by any, since a second removal changes nothing.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from services.ingest.plan import rejection
from services.ingest.ports import Publisher
from services.ingest.read_model import Follower, ReadModel
from services.ingest.settings import IngestSettings
from shared.contracts.base import Event
from shared.contracts.jobs import DeadlinePassed, JobDeleted
from shared.contracts.outcomes import BadMedia, Transient
from shared.observability import metrics
from shared.observability.tracing import new_traceparent
from shared.storage import ObjectStore
from shared.storage.keys import job_prefix, parse_uri

log = logging.getLogger(__name__)
REPEAT_S = 60.0  # a deadline is said again until the verdict comes


class Sweeper:
    """`sweep` every few seconds; `planned_here` gives the partitions of `jobs-v1` that this replica plans."""

    def __init__(
        self, model: ReadModel, follower: Follower, store: ObjectStore, publisher: Publisher,
        settings: IngestSettings, planned_here: Callable[[], frozenset[int]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._model, self._follower, self._store, self._publisher = model, follower, store, publisher
        self._settings, self._planned_here, self._clock = settings, planned_here, clock
        self._said: dict[str, datetime] = {}

    def run(self, stop: threading.Event, tick: Callable[[], None] = lambda: None) -> None:
        while not stop.wait(self._settings.sweep_every_s):
            tick()
            try:
                self.sweep()
            except Transient as error:
                log.warning("swept later: %s", error)

    def sweep(self) -> None:
        """One round. Raises `Transient` where the broker or the store is away; what is left waits."""
        now, settings = self._clock(), self._settings
        oldest = self._model.oldest_unfinished()
        metrics.OLDEST_UNFINISHED.set(0 if oldest is None else max(0.0, (now - oldest).total_seconds()))
        self._follower.catch_up(settings.catch_up_s)
        for job_id in self._ours(self._model.overdue(now)):
            self._say(DeadlinePassed(job_id=job_id), now)
        for job_id in self._ours(self._model.unplanned(_before(now, settings.plan_within_s))):
            self._say(rejection(job_id, BadMedia("deadline_passed")), now)
        for job_id in self._ours(self._model.expired(_before(now, settings.keep_jobs_s))):
            self._say(JobDeleted(job_id=job_id, deleted_at=now), now)
        self._follower.wake(self._model.give_up_explanations(_before(now, settings.explain_within_s)))
        for job_id, _ in self._model.unswept(_before(now, settings.sweep_again_s)):
            self._store.remove_prefix(job_prefix(job_id))
            self._model.mark_swept(job_id)
        for uri, job_id in self._model.doubts(_before(now, 2 * settings.upload_total_s)):
            self._settle(uri, job_id)
        self._said = {job_id: at for job_id, at in self._said.items() if _before(now, REPEAT_S) < at}

    def _ours(self, found: list[tuple[str, int]]) -> list[str]:
        here = self._planned_here()
        return [job_id for job_id, partition in found if partition in here]

    def _say(self, message: Event, now: datetime) -> None:
        if _before(now, REPEAT_S) < self._said.get(message.job_id, datetime.min.replace(tzinfo=UTC)):
            return
        self._publisher.publish_now([message], new_traceparent())
        self._said[message.job_id] = now
        log.info("said %s", type(message).__name__, extra={"job_id": message.job_id})

    def _settle(self, uri: str, job_id: str) -> None:
        """An upload that no record named in all this time: a crash or a lost acknowledgement left it."""
        state = self._model.get(job_id)
        if state is None or state.accepted is None or state.accepted.media.uri != uri:
            self._store.remove(parse_uri(uri)[1])
        self._model.settle(uri)


def _before(now: datetime, seconds: float) -> datetime:
    return now - timedelta(seconds=seconds)
