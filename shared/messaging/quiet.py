"""librdkafka repeats itself: a lost broker gives a line a reconnection, many a second."""

import logging
import re
import time
from collections.abc import Callable

_PREFIX = re.compile(r"\[thrd:[^\]]*\]:? ?|#\w+-\d+|\d+")
_REMEMBERED = 200


class Quiet(logging.Filter):
    """Lets a text that differs only in numbers through once in `every_s`."""

    def __init__(self, every_s: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._every_s, self._clock = every_s, clock
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        text, now = _PREFIX.sub("", record.getMessage()), self._clock()
        if now - self._said.get(text, float("-inf")) < self._every_s:
            return False
        if len(self._said) >= _REMEMBERED:
            self._said.clear()
        self._said[text] = now
        return True


def librdkafka_logger() -> logging.Logger:
    """Where clients log: an ordinary logger, so its lines are JSON too, with repeats left out."""
    logger = logging.getLogger("librdkafka")
    if not any(isinstance(known, Quiet) for known in logger.filters):
        logger.addFilter(Quiet())
    return logger
