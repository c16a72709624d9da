"""One record being handled: it is settled when its handler and all its outputs are."""

import threading
from collections.abc import Callable
from typing import Protocol

from shared.contracts.records import Outgoing
from shared.messaging.handlers import Task
from shared.messaging.lease import Entry


class Sender(Protocol):
    """What `Producer` is to the workers."""

    def send(self, out: Outgoing, on_delivery: Callable[[Exception | None], None] | None = None) -> None: ...


class Attempt:
    """Counts delivery reports instead of flushing, so no record waits for another's outputs.

    `settle(attempt, error)` is called exactly once unless the attempt is abandoned: with None when
    the handler is done and every output is acknowledged, with the exception when one was not
    delivered. It may run in the producer's thread, so it must not block.
    """

    def __init__(self, entry: Entry, settle: Callable[["Attempt", Exception | None], None]) -> None:
        self.entry = entry
        self.task: Task | None = None
        self._settle = settle
        self._open = 1  # the handler
        self._error: Exception | None = None
        self._abandoned = False
        self._lock = threading.Lock()

    def publish(self, producer: Sender, out: Outgoing) -> None:
        """Raises what `Producer.send` raises."""
        with self._lock:
            self._open += 1
        try:
            producer.send(out, self._close)
        except Exception:
            with self._lock:
                self._open -= 1
            raise

    def done(self) -> None:
        """The handler has finished this record."""
        self._close(None)

    def abandon(self) -> None:
        """Reports that still come are ignored."""
        with self._lock:
            self._abandoned = True

    def _close(self, error: Exception | None) -> None:
        with self._lock:
            self._open -= 1
            self._error = self._error or error
            last = self._open == 0 and not self._abandoned
        if last:
            self._settle(self, self._error)
