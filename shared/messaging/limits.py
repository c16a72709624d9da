"""Stops a loop whose records mostly end as dead letters: a bad deploy must not drain a topic."""

import threading
from collections import deque

from shared.messaging.loop_settings import LoopSettings


class DeadLetterLimit(Exception):
    """Too many of the last records were dead-lettered; the process should stop and be looked at."""


class DeadLetterRatio:
    """Thread-safe. Looks at the last `dead_letter_window` records."""

    def __init__(self, settings: LoopSettings) -> None:
        self._settings = settings
        self._last: deque[bool] = deque(maxlen=settings.dead_letter_window)
        self._lock = threading.Lock()

    def note(self, dead: bool) -> DeadLetterLimit | None:
        """One more record ended; the exception to stop with if that was one too many."""
        with self._lock:
            self._last.append(dead)
            count, of = sum(self._last), len(self._last)
        if not dead or count < self._settings.dead_letter_minimum:
            return None
        if count <= self._settings.dead_letter_ratio * of:
            return None
        return DeadLetterLimit(f"{count} of the last {of} records were dead-lettered")
