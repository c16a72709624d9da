"""What the API and the sweeper need of the log."""

from collections.abc import Sequence
from typing import Protocol

from shared.contracts.base import Event


class Publisher(Protocol):
    """Both return once every message is acknowledged, and raise `Transient` otherwise.

    After `Transient` it is not known whether the messages are in the log."""

    async def publish(self, messages: Sequence[Event], traceparent: str) -> None: ...

    def publish_now(self, messages: Sequence[Event], traceparent: str) -> None:
        """The same from a thread."""
