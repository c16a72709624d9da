"""A decoder child: gives up what it could do harm with, then does one task."""

import contextlib
import ctypes
import importlib
import os
import pkgutil
import resource
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import av

from shared.contracts.outcomes import BadMedia
from shared.media import wire
from shared.media.child_decode import run as run_decode
from shared.media.child_probe import run as run_probe
from shared.media.remote import RemoteFile

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_SESSION_FD = 3
_libc = ctypes.CDLL(None, use_errno=True)

Task = Callable[[RemoteFile, wire.Header, wire.Say], None]
TASKS: dict[str, Task] = {"probe": run_probe, "decode": run_decode}


def warm_up() -> None:
    """Pay once, before any fork, for what every child would pay; nothing may be opened later."""
    av.logging.set_level(None)
    for module in pkgutil.walk_packages(av.__path__, "av."):  # it imports some of itself when it meets them
        if not module.name.startswith(("av.__main__", "av.datasets")):
            importlib.import_module(module.name)
    frame = av.VideoFrame(16, 16, "yuv420p")
    frame.reformat(8, 8, "rgb24").to_ndarray()
    sound = av.AudioFrame("fltp", "mono", 64)
    sound.sample_rate = 8000
    av.AudioResampler("fltp", "mono", 16000).resample(sound)


def live(session: socket.socket) -> NoReturn:
    """The whole life of a child; never returns. Status 0 unless something unforeseen happens."""
    status = 1
    with contextlib.suppress(BaseException):
        session = _keep_only(session)
        task, _ = wire.receive(session)
        _confine(task["limits"])
        _work(session, task)
        status = 0
    os._exit(status)


def _work(session: socket.socket, task: wire.Header) -> None:
    def say(header: wire.Header, *body: wire.Buffer) -> None:
        wire.send(session, {"say": "out", **header}, *body)

    try:
        TASKS[task["task"]](RemoteFile(session, task["limits"]["size"]), task, say)
    except BadMedia as error:
        answer: dict[str, Any] = {"say": "bad", "code": error.code, "detail": error.detail}
    except MemoryError:
        answer = {"say": "bad", "code": "decoder_crashed", "detail": "it needs too much memory"}
    except (av.error.FFmpegError, ValueError, OverflowError, ZeroDivisionError, LookupError) as error:
        detail = getattr(error, "strerror", None) or type(error).__name__
        answer = {"say": "bad", "code": "unreadable_media", "detail": str(detail)[:200]}
    except Exception as error:  # a fault of ours: named, so that it is found
        answer = {"say": "bad", "code": "decoder_crashed", "detail": type(error).__name__}
    else:
        answer = {"say": "done"}
    wire.send(session, answer)


def _keep_only(session: socket.socket) -> socket.socket:
    """Descriptor 3 is the conversation, 0 to 2 lead nowhere, and there are no others."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.dup2(session.detach(), _SESSION_FD)
    top = max(int(name) for name in os.listdir("/proc/self/fd"))
    os.closerange(_SESSION_FD + 1, top + 1)
    return socket.socket(fileno=_SESSION_FD)


def _confine(limits: wire.Header) -> None:
    """No new file or socket, no files written, no core, no more memory and time than allowed."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    seconds = max(1, int(limits["seconds"] + 0.5))
    for what, soft, hard in (
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_NOFILE, _SESSION_FD + 1, _SESSION_FD + 1),
        (resource.RLIMIT_CPU, seconds, seconds + 1),
        (resource.RLIMIT_AS, limits["memory"], limits["memory"]),
    ):
        resource.setrlimit(what, (soft, hard))
    sys.setrecursionlimit(500)
