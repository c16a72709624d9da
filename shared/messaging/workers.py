"""The threads that run a handler over batches from the intake."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from shared.contracts.codec import TRACEPARENT, encode
from shared.contracts.outcomes import InvalidRecord, Transient
from shared.contracts.records import Record
from shared.messaging.attempt import Attempt, Sender
from shared.messaging.busy import Busy
from shared.messaging.fates import Fates
from shared.messaging.handlers import Finished, Handler, Outcome, Task
from shared.messaging.intake import Intake
from shared.messaging.lease import Entry
from shared.messaging.loop_settings import LoopSettings
from shared.observability.logs import bind
from shared.observability.tracing import child_of, new_traceparent

Decoder = Callable[[Record], Any]
"""A record to a message; raises `InvalidRecord`. By default `codec.decode`."""


class Workers:
    """`failure` is set when the loop must stop: `DeadLetterLimit`, or a defect in here."""

    def __init__(
        self, service: str, handler: Handler, decoder: Decoder, producer: Sender, intake: Intake,
        settings: LoopSettings,
    ) -> None:
        self._handler, self._decoder = handler, decoder
        self._producer, self._intake = producer, intake
        self.busy = Busy()
        self.failure: BaseException | None = None
        self._fates = Fates(service, producer, intake, self.busy, settings, self._fail)
        for number in range(settings.workers):
            threading.Thread(target=self._work, name=f"{service} {number}", daemon=True).start()

    def _fail(self, error: BaseException) -> None:
        self.failure = self.failure or error
        self._intake.close()

    def _work(self) -> None:
        try:
            while (batch := self._intake.take()) is not None:
                self._run(batch)
        except BaseException as error:  # a defect, or the handler gave up: the loop raises it
            self._fail(error)

    def _run(self, batch: Sequence[Entry]) -> None:
        self.busy.enter(entry.lease for entry in batch)
        begun = [pair for entry in batch if (pair := self._begin(entry))]
        tasks = [task for _, task in begun]
        waiting = {index: attempt for index, (attempt, _) in enumerate(begun)}
        if not tasks:
            return
        only = tasks[0] if len(tasks) == 1 else None
        with bind(job_id=only.job_id if only else None, traceparent=only.traceparent if only else None):
            try:
                self._handle(tasks, waiting)
            except Exception as error:
                for attempt in waiting.values():
                    if only or isinstance(error, Transient):
                        self._fates.failed(attempt, error)
                    else:
                        attempt.entry.alone = True
                        self._fates.again(attempt, 0.0)
                return
        for attempt in waiting.values():
            attempt.done()

    def _begin(self, entry: Entry) -> tuple[Attempt, Task] | None:
        """None if that settled its fate."""
        attempt = Attempt(entry, self._fates.settled)
        try:
            if entry.record.value is None:
                raise InvalidRecord("tombstone", "the record has no value")
            message = self._decoder(entry.record)
        except InvalidRecord as error:
            self._fates.failed(attempt, error)
            return None
        except Exception as error:
            reason = InvalidRecord("undecodable", f"{type(error).__name__}: {error}")
            self._fates.failed(attempt, reason)
            return None
        task = Task(entry.record, message, entry.record.header(TRACEPARENT) or new_traceparent())
        attempt.task = task
        fault, entry.fault = entry.fault, None
        if fault:
            self._fates.failed(attempt, fault)
            return None
        entry.attempts += 1
        return attempt, task

    def _handle(self, tasks: Sequence[Task], waiting: dict[int, Attempt]) -> None:
        """Runs the handler; removes from `waiting` what it finished, failed or lost."""
        steps = self._handler(tasks)
        for index, outcome in steps:
            attempt = waiting.get(index)
            if attempt is None:
                continue  # it failed before
            if attempt.entry.lease.revoked:
                self.busy.leave(waiting.pop(index).entry.lease)
                if not waiting:
                    break
                continue
            try:
                finished = self._step(attempt, tasks[index], outcome)
            except Exception as error:
                self._fates.failed(waiting.pop(index), error)
                continue
            if finished:
                waiting.pop(index).done()
        if close := getattr(steps, "close", None):
            close()

    def _step(self, attempt: Attempt, task: Task, outcome: Outcome) -> bool:
        """True if the task is finished; raises what failed."""
        if isinstance(outcome, Finished):
            return True
        if isinstance(outcome, Exception):
            raise outcome
        attempt.publish(self._producer, encode(outcome, traceparent=child_of(task.traceparent)))
        return False
