"""How the sandbox's two ends talk: a length, a JSON header, raw bytes.

The child is not trusted, so what it says is parsed as JSON and copied as bytes, never unpickled.
"""

import json
import socket
import struct
from typing import Any, Protocol

_PREFIX = struct.Struct("<IQ")
MAX_HEADER = 1 << 20
MAX_BODY = 1 << 30
Header = dict[str, Any]
Buffer = bytes | bytearray | memoryview


class Say(Protocol):
    """How a task in the child gives a result: a header and a body in parts."""

    def __call__(self, header: Header, *body: Buffer) -> None: ...



class ProtocolError(Exception):
    """The other end said something that is no message."""


def send(sock: socket.socket, header: Header, *body: Buffer) -> None:
    """One message, its body in parts; blocks while the other end is slow: the back-pressure."""
    head = json.dumps(header).encode()
    parts = [memoryview(part).cast("B") for part in body if len(part)]
    sock.sendall(_PREFIX.pack(len(head), sum(part.nbytes for part in parts)) + head)
    for part in parts:
        sock.sendall(part)


def receive(sock: socket.socket) -> tuple[Header, bytearray]:
    """The next message. Raises `EOFError` at the end, `TimeoutError` as the socket says."""
    head_size, body_size = _PREFIX.unpack(_exactly(sock, _PREFIX.size))
    if head_size > MAX_HEADER or body_size > MAX_BODY:
        raise ProtocolError("a message too large")
    try:
        header = json.loads(bytes(_exactly(sock, head_size)))
    except ValueError as error:
        raise ProtocolError("no JSON header") from error
    if not isinstance(header, dict):
        raise ProtocolError("the header is no object")
    return header, _exactly(sock, body_size)


def _exactly(sock: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view.nbytes:
        got = sock.recv_into(view)
        if not got:
            raise EOFError
        view = view[got:]
    return data
