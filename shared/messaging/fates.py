"""What becomes of a record: finished, tried again, dropped past its deadline, or dead-lettered."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from shared.contracts.outcomes import InvalidRecord, Transient
from shared.messaging.attempt import Attempt, Sender
from shared.messaging.busy import Busy
from shared.messaging.dead_letters import to_dead_letter
from shared.messaging.intake import Intake
from shared.messaging.limits import DeadLetterRatio
from shared.messaging.loop_settings import LoopSettings
from shared.observability import metrics
from shared.observability.logs import bind

log = logging.getLogger(__name__)


class Fates:
    """`stop_with` is called with `DeadLetterLimit` when that is reached."""

    def __init__(
        self, service: str, producer: Sender, intake: Intake, busy: Busy, settings: LoopSettings,
        stop_with: Callable[[BaseException], None],
    ) -> None:
        self._service, self._producer, self._intake = service, producer, intake
        self._busy, self._settings, self._stop_with = busy, settings, stop_with
        self._ratio = DeadLetterRatio(settings)
        self._limited = False

    def settled(self, attempt: Attempt, error: Exception | None) -> None:
        """Handler and outputs are done. Runs in a worker's or the producer's thread."""
        entry = attempt.entry
        if error is None:
            self._ratio.note(False)
            self._finish(attempt)
        else:
            entry.fault = error
            self.again(attempt, self._settings.delay_s(entry.attempts))

    def failed(self, attempt: Attempt, error: Exception) -> None:
        """The handler, the decoder or a delivery failed. Runs in a worker's thread."""
        entry = attempt.entry
        if isinstance(error, InvalidRecord):
            self._dead(attempt, error.reason, error)
            return
        if isinstance(error, Transient):
            deadline, now = _deadline(attempt), datetime.now(UTC)
            if deadline and now >= deadline:
                self._expire(attempt, error)
                return
            delay_s = self._settings.delay_s(entry.attempts)
            if deadline:
                delay_s = min(delay_s, (deadline - now).total_seconds())
        else:
            entry.unexpected += 1
            if entry.unexpected >= self._settings.max_attempts:
                self._dead(attempt, "unexpected", error)
                return
            delay_s = self._settings.delay_s(entry.unexpected)
        unforeseen = None if isinstance(error, Transient) else error
        _log(attempt, logging.WARNING, "will try again", error, exc_info=unforeseen)
        metrics.RECORDS_RETRIED.labels(entry.record.topic).inc()
        self.again(attempt, delay_s)

    def again(self, attempt: Attempt, delay_s: float) -> None:
        """Back into the queue."""
        attempt.abandon()
        self._intake.put(attempt.entry, delay_s)
        self._busy.leave(attempt.entry.lease)

    def _expire(self, attempt: Attempt, error: Exception) -> None:
        """Whoever set the deadline also closes the job at it: nobody waits for this record."""
        _log(attempt, logging.WARNING, "dropped past its deadline", error)
        metrics.RECORDS_EXPIRED.labels(attempt.entry.record.topic).inc()
        attempt.abandon()
        self._ratio.note(False)
        self._finish(attempt)

    def _dead(self, attempt: Attempt, reason: str, error: Exception) -> None:
        entry = attempt.entry
        attempt.abandon()
        if self._limited:  # what is left stays uncommitted, for a better version of this service
            self._busy.leave(entry.lease)
            return
        limit = None if entry.dead else self._ratio.note(True)
        entry.dead = True
        known = isinstance(error, InvalidRecord)
        detail = error.detail if isinstance(error, InvalidRecord) else str(error)
        _log(attempt, logging.ERROR, "dead letter", error, exc_info=None if known else error)
        letter = to_dead_letter(
            entry.record, self._service, reason, detail, max(1, entry.attempts),
            error=type(error).__name__, traceparent=attempt.task.traceparent if attempt.task else None,
        )

        def settled(final: Attempt, problem: Exception | None) -> None:
            if problem is None:
                metrics.DEAD_LETTERS.labels(entry.record.topic, reason).inc()
                self._finish(final)
            else:
                _log(final, logging.ERROR, "dead letter not delivered", problem)
                self.again(final, self._settings.delay_s(max(1, entry.attempts)))

        final = Attempt(entry, settled)
        try:
            final.publish(self._producer, letter)
        except Exception as problem:
            settled(final, problem)
        else:
            final.done()
        if limit:
            self._limited = True
            self._stop_with(limit)

    def _finish(self, attempt: Attempt) -> None:
        entry = attempt.entry
        entry.lease.finish(entry.record.offset)
        self._busy.leave(entry.lease)


def _deadline(attempt: Attempt) -> datetime | None:
    deadline = getattr(attempt.task and attempt.task.message, "deadline", None)
    if not isinstance(deadline, datetime):
        return None
    return deadline if deadline.tzinfo else deadline.replace(tzinfo=UTC)


def _log(
    attempt: Attempt, level: int, what: str, error: Exception, *, exc_info: Exception | None = None
) -> None:
    entry, task = attempt.entry, attempt.task
    place = f"{entry.record.topic}/{entry.record.partition}/{entry.record.offset}"
    with bind(job_id=task.job_id if task else None, traceparent=task.traceparent if task else None):
        log.log(
            level, "%s: %s", what, error, exc_info=exc_info,
            extra={"record": place, "attempts": entry.attempts, "error": type(error).__name__},
        )
