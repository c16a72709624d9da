"""`ports.Publisher` on Kafka."""

import asyncio
from collections.abc import Callable, Sequence

from shared.contracts.base import Event
from shared.contracts.codec import encode
from shared.messaging.producer import Producer

Report = Callable[[Exception | None], None]


class KafkaPublisher:
    """`producer` must give up on a record (its delivery timeout) before `timeout_s` is over."""

    def __init__(self, producer: Producer, timeout_s: float) -> None:
        self._producer, self._timeout_s = producer, timeout_s

    async def publish(self, messages: Sequence[Event], traceparent: str) -> None:
        """No thread waits: the producer's own wakes the loop."""
        loop = asyncio.get_running_loop()
        acks: list[asyncio.Future[None]] = []
        for message in messages:
            ack: asyncio.Future[None] = loop.create_future()
            acks.append(ack)
            self._producer.send(
                encode(message, traceparent=traceparent), _waking(loop, ack), timeout_s=self._timeout_s
            )
        await asyncio.gather(*acks)

    def publish_now(self, messages: Sequence[Event], traceparent: str) -> None:
        self._producer.send_and_wait([encode(m, traceparent=traceparent) for m in messages], self._timeout_s)


def _waking(loop: asyncio.AbstractEventLoop, ack: asyncio.Future[None]) -> Report:
    def settle(error: Exception | None) -> None:
        if ack.done():  # the caller went away
            return
        if error is None:
            ack.set_result(None)
        else:
            ack.set_exception(error)

    def report(error: Exception | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, error)

    return report
