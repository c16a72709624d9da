"""Kills processes with SIGKILL, again and again, chosen by a seed."""

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping

Pids = Callable[[], Mapping[str, int]]


class Storm:
    """A thread that kills one process of `pids()` every `mean_s` seconds on average until `enough`.

    `weights` says how often each name is chosen relative to the others. A context manager.
    """

    def __init__(
        self, pids: Pids, weights: Mapping[str, float], *, seed: int, mean_s: float, enough: int
    ) -> None:
        self._pids, self._weights, self._mean_s, self._enough = pids, weights, mean_s, enough
        self._random = random.Random(seed)  # noqa: S311 repeatable, not secret
        self._stop = threading.Event()
        self.killed: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._run, name="storm", daemon=True)

    @property
    def kills(self) -> int:
        return self.killed.total()

    @property
    def over(self) -> bool:
        """All kills are done."""
        return self.kills >= self._enough

    def __enter__(self) -> "Storm":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        names = list(self._weights)
        while not self.over:
            if self._stop.wait(self._random.uniform(0.5, 1.5) * self._mean_s):
                return
            name = self._random.choices(names, [self._weights[n] for n in names])[0]
            pid = self._pids().get(name)
            if pid and _kill(pid):
                self.killed[name] += 1


def _kill(pid: int) -> bool:
    """Whether there was such a process to kill."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
