"""A server as a child process: started, asked whether it is ready, ended by its process id."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

PR_SET_PDEATHSIG = 1  # linux/prctl.h


class NotReady(Exception):
    """The server ended, or did not answer in time; the text ends with the last lines of its log."""


def die_with_parent() -> None:
    """Have the kernel end this process, and what it becomes by exec, when its parent's thread ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_until(ready: Callable[[], bool], timeout_s: float, alive: Callable[[], bool] = lambda: True) -> bool:
    """Ask `ready` every 50 ms until it says yes; False when `timeout_s` passed or `alive` says no."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > deadline or not alive():
            return False
        time.sleep(0.05)
    return True


class Server:
    """One child process with a log file. A context manager: started and ready inside, gone after."""

    def __init__(self, name: str, command: Sequence[str], log: Path, ready: Callable[[], bool],
                 environment: dict[str, str] | None = None) -> None:
        self.name, self.command, self.log = name, list(command), log
        self._ready, self._environment = ready, environment or {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self, timeout_s: float = 60) -> None:
        """Start it and return when it is ready. Raises NotReady."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env=os.environ | self._environment)
        if not wait_until(self._ready, timeout_s, lambda: self.pid is not None):
            fate = "did not answer" if self.pid else "ended"
            self.kill()
            raise NotReady(f"{self.name} {fate}:\n{self.last_lines()}")

    def stop(self, timeout_s: float = 20) -> None:
        """Ask it to end (SIGTERM), insist after `timeout_s`."""
        self._end(signal.SIGTERM, timeout_s)

    def kill(self) -> None:
        """End it at once (SIGKILL), as a crash would."""
        self._end(signal.SIGKILL, 20)

    def last_lines(self, count: int = 20) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])

    def _end(self, sign: signal.Signals, timeout_s: float) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(sign)
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
