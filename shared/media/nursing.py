"""The parent's side of the nursery: starts it when first needed, and again should it die."""

import atexit
import contextlib
import os
import socket
import subprocess
import sys
import threading

from shared.contracts.outcomes import Transient

_START_S = 60.0
_STOP_S = 10.0


class Nursery:
    """One process of `module`, which is `shared.media.nursery` but in tests."""

    def __init__(self, module: str = "shared.media.nursery") -> None:
        self._module = module
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        atexit.register(self.stop)

    @property
    def process_id(self) -> int | None:
        """Of the running nursery."""
        return self._process.pid if self._process else None

    def bear(self) -> tuple[socket.socket, socket.socket]:
        """Ask for a child; returns our ends of its session and its watch. Raises `Transient`."""
        session, its_session = socket.socketpair()
        watch, its_watch = socket.socketpair()
        with its_session, its_watch:
            try:
                self._ask([its_session.fileno(), its_watch.fileno()])
            except (OSError, subprocess.SubprocessError) as error:
                session.close()
                watch.close()
                raise Transient(f"the decoder's sandbox does not start: {error}") from error
        return session, watch

    def _ask(self, fds: list[int]) -> None:
        with self._lock:
            for attempt in (0, 1):
                control = self._running()
                try:
                    socket.send_fds(control, [b"+"], fds)
                    return
                except OSError:
                    self.stop()
                    if attempt:
                        raise

    def _running(self) -> socket.socket:
        alive = self._process is not None and self._process.poll() is None and self._owner == os.getpid()
        if self._control is not None and alive:
            return self._control
        self.stop()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", self._module, str(theirs.fileno())],
                env=_bare_environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # a signal to the service's group lets it finish what is in flight
            )
        ours.settimeout(_START_S)
        self._control, self._owner = ours, os.getpid()
        if not ours.recv(1):
            self.stop()
            raise ConnectionError("it ended at once")
        return ours

    def stop(self) -> None:
        """Close the control socket: it and its children end."""
        if self._control is not None:
            self._control.close()
        if self._process is not None and self._owner == os.getpid():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=_STOP_S)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
        self._control = self._process = None


def _bare_environment() -> dict[str, str]:
    """Nothing but what Python needs to find the code, and one thread for linear algebra."""
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(os.path.abspath(p) for p in sys.path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }
