"""Free TCP ports for servers that tests start."""

import os
import socket
from contextlib import ExitStack, suppress

BASES = range(28000, 31000, 20)  # below the ports that the kernel gives away by itself


def free_ports(count: int) -> list[int]:
    """`count` different ports of 127.0.0.1 that nobody listened on a moment ago."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def free_base() -> int:
    """The first of 20 ports in a row that nobody listened on a moment ago: for a stack of its own."""
    first = os.getpid() % len(BASES)  # so that sessions that start together differ
    for number in range(len(BASES)):
        base = BASES[(first + number) % len(BASES)]
        with ExitStack() as stack, suppress(OSError):
            for port in range(base, base + BASES.step):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return base
    raise OSError(f"no {BASES.step} free ports in a row from {BASES.start} to {BASES.stop}")
