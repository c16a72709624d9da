"""Runs hostile work in a child that has no files, no network, no secrets and little time.

A child costs a fork of a small process that has already imported the decoder. It asks for bytes by
(offset, length) over a socket; it cannot open anything (its file limit is what it has open).
"""

import contextlib
import signal
import socket
import time
from collections.abc import Iterator

from shared.contracts.errors import ERRORS
from shared.contracts.outcomes import BadMedia, Transient
from shared.media import wire
from shared.media.nursing import Nursery
from shared.media.sources import ByteSource

_REAP_S = 10.0
_MAX_READ = 8 << 20
_PATIENCE = 4
_nursery = Nursery()


@contextlib.contextmanager
def running(
    task: wire.Header,
    source: ByteSource,
    *,
    seconds: float,
    memory_bytes: int,
    nursery: Nursery = _nursery,
) -> Iterator[Iterator[tuple[wire.Header, bytearray]]]:
    """Give an iterator over what a child says while it does `task` on the bytes of `source`.

    `seconds` bounds its processor time, and four times that the wall time spent waiting for it, so
    that a busy machine does not change the outcome (time in `source.read_at` and in the consumer does
    not count). Raises `BadMedia`: what the child reports,
    `decoder_crashed` or `decoder_timeout`. Whatever `read_at` raises passes through. On leaving, the
    child is killed and reaped. Safe from several threads at once. Raises `Transient` if no child
    can be had or somebody else killed it.
    """
    session, watch = nursery.bear()
    try:
        limits = {"seconds": seconds, "memory": memory_bytes, "size": source.size}
        yield _converse(session, {**task, "limits": limits}, source, _PATIENCE * seconds)
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


def _cause_of_death(watch: socket.socket) -> BadMedia | Transient:
    """Media are blamed for what they can have done; not for a kill from outside."""
    watch.settimeout(_REAP_S)
    try:
        code = int(watch.recv(16))
    except (OSError, ValueError):
        return Transient("the decoder's sandbox has gone")
    if code in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP):
        return Transient(f"the decoder was killed from outside: signal {-code}")
    if code == -signal.SIGXCPU:
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
