"""A nursery whose children misbehave on request: `python -m tests.support.naughty_nursery FD`."""

import ctypes
import os
import socket
import sys
import time
from collections.abc import Callable

import numpy as np

from shared.media import child, nursery, wire
from shared.media.remote import RemoteFile


def _crash(file: RemoteFile, task: wire.Header, say: wire.Say) -> None:
    ctypes.string_at(0)


def _hang(file: RemoteFile, task: wire.Header, say: wire.Say) -> None:
    time.sleep(600)


def _spin(file: RemoteFile, task: wire.Header, say: wire.Say) -> None:
    while True:
        pass


def _allocate(file: RemoteFile, task: wire.Header, say: wire.Say) -> None:
    np.ones(1 << 40, np.uint8)


def _leave(file: RemoteFile, task: wire.Header, say: wire.Say) -> None:
    os._exit(7)


def _babble(file: RemoteFile, task: wire.Header, say: wire.Say) -> None:
    file._session.sendall(b"\xff" * 64)
    time.sleep(600)


def _read_all(file: RemoteFile, task: wire.Header, say: wire.Say) -> None:
    total = 0
    while part := file.read(1 << 20):
        total += len(part)
    say({"total": total})


def _count_up(file: RemoteFile, task: wire.Header, say: wire.Say) -> None:
    for number in range(1000):
        say({"number": number}, bytes(1 << 16))


def _escape(file: RemoteFile, task: wire.Header, say: wire.Say) -> None:
    """Says which of the forbidden things it could do, and its environment."""
    attempts: dict[str, Callable[[], object]] = {
        "open": lambda: open("/etc/hostname"),  # noqa: SIM115
        "write": lambda: os.open("escaped", os.O_CREAT | os.O_WRONLY),
        "socket": socket.socket,
        "pipe": os.pipe,
    }
    done = []
    for name, attempt in attempts.items():
        try:
            attempt()
            done.append(name)
        except OSError:
            continue
    say({"done": done, "environment": dict(os.environ)})


child.TASKS.update(
    crash=_crash, hang=_hang, spin=_spin, allocate=_allocate, leave=_leave, babble=_babble,
    read_all=_read_all, count_up=_count_up, escape=_escape,
)  # fmt: skip

if __name__ == "__main__":
    nursery.main(int(sys.argv[1]))
