"""What a processing step may touch: the state of a partition, and the way out."""

from collections.abc import Sequence
from typing import Protocol

from shared.contracts.records import Outgoing

Change = tuple[bytes, bytes | None]  # key, value; None deletes


class Ports(Protocol):
    """Both coroutines return when the broker has acknowledged, and raise when it never will."""

    def read(self, partition: int, key: bytes) -> bytes | None:
        """The value that the last acknowledged `write` of this key gave."""
        ...

    async def write(self, partition: int, changes: Sequence[Change]) -> None:
        """In this order: after a crash, a prefix of the changes is there."""
        ...

    async def publish(self, records: Sequence[Outgoing]) -> None: ...


def state_key(job_id: str) -> bytes:
    return STATES + job_id.encode()


def plan_key(job_id: str) -> bytes:
    return b"p/" + job_id.encode()


def entry_key(job_id: str, digest: str, window: int) -> bytes:
    return f"w/{job_id}/{digest}/{window}".encode()


STATES = b"j/"
