"""Runs hostile work in a child that has no files, no network, no secrets and little time.

A child costs a fork of a small process that has already imported the decoder. It asks for bytes by
(offset, length) over a socket; it cannot open anything (its file limit is what it has open).
"""

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from shared.contracts.errors import ERRORS
from shared.contracts.outcomes import BadMedia, Transient
from shared.media import wire
from shared.media.sources import ByteSource

_START_S = 60.0
_REAP_S = 10.0
_MAX_READ = 8 << 20


@contextlib.contextmanager
def running(
    task: wire.Header, source: ByteSource, *, seconds: float, memory_bytes: int
) -> Iterator[Iterator[tuple[wire.Header, bytearray]]]:
    """Give an iterator over what a child says while it does `task` on the bytes of `source`.

    `seconds` bounds both its processor time and the wall time spent waiting for it (time in
    `source.read_at` and in the consumer does not count). Raises `BadMedia`: what the child reports,
    `decoder_crashed` or `decoder_timeout`. Whatever `read_at` raises passes through. On leaving, the
    child is killed and reaped. Safe from several threads at once.
    """
    session, watch = _nursery.bear()
    try:
        limits = {"seconds": seconds, "memory": memory_bytes, "size": source.size}
        yield _converse(session, {**task, "limits": limits}, source, seconds)
    except _ChildDied as error:
        raise _cause_of_death(watch) from error
    finally:
        session.close()
        _end(watch)


class _ChildDied(Exception):
    """The conversation ended before the child said how it went."""


def _converse(
    session: socket.socket, task: wire.Header, source: ByteSource, seconds: float
) -> Iterator[tuple[wire.Header, bytearray]]:
    left = seconds
    to_read = 8 * source.size + (64 << 20)  # a child that reads for ever is a hanging one
    _tell(session, seconds, task)
    while True:
        started = time.monotonic()
        header, body = _hear(session, left)
        left -= time.monotonic() - started
        match header.get("say"):
            case "read":
                offset, length = _range(header, source.size)
                to_read -= length
                if to_read < 0:
                    raise BadMedia("decoder_timeout", "it read the file over and over")
                _tell(session, seconds, {}, source.read_at(offset, length) if length else b"")
            case "out":
                yield header, body
            case "done":
                return
            case "bad" if header.get("code") in ERRORS:
                raise BadMedia(str(header["code"]), str(header.get("detail", ""))[:200])
            case _:
                raise BadMedia("decoder_crashed", "it said something unknown")


def _hear(session: socket.socket, seconds: float) -> tuple[wire.Header, bytearray]:
    session.settimeout(max(seconds, 0.001))
    try:
        return wire.receive(session)
    except TimeoutError as error:
        raise BadMedia("decoder_timeout") from error
    except (EOFError, OSError) as error:
        raise _ChildDied from error
    except wire.ProtocolError as error:
        raise BadMedia("decoder_crashed", str(error)) from error


def _tell(session: socket.socket, seconds: float, header: wire.Header, body: bytes = b"") -> None:
    session.settimeout(seconds)
    try:
        wire.send(session, header, body)
    except TimeoutError as error:
        raise BadMedia("decoder_timeout") from error
    except OSError as error:
        raise _ChildDied from error


def _range(header: wire.Header, size: int) -> tuple[int, int]:
    offset, length = header.get("offset"), header.get("length")
    if not isinstance(offset, int) or not isinstance(length, int) or offset < 0 or length < 0:
        raise BadMedia("decoder_crashed", "it asked for no range")
    return offset, max(0, min(length, size - offset, _MAX_READ))


def _cause_of_death(watch: socket.socket) -> BadMedia:
    watch.settimeout(_REAP_S)
    try:
        code = int(watch.recv(16) or b"1")
    except (OSError, ValueError):
        code = 1
    if code in (-signal.SIGXCPU, -signal.SIGKILL):  # the second: processor time, hard limit
        return BadMedia("decoder_timeout")
    return BadMedia("decoder_crashed", f"status {code}")


def _end(watch: socket.socket) -> None:
    """Have the child killed if it lives, and wait until it is reaped."""
    with contextlib.suppress(OSError):
        watch.shutdown(socket.SHUT_WR)
        watch.settimeout(_REAP_S)
        while watch.recv(16):
            pass
    watch.close()


class _Nursery:
    """Starts `shared.media.nursery` when first needed, and again should it die."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

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
                [sys.executable, "-m", "shared.media.nursery", str(theirs.fileno())],
                env=_bare_environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
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
                self._process.wait(timeout=_REAP_S)
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


_nursery = _Nursery()
atexit.register(_nursery.stop)
