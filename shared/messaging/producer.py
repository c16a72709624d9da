"""The producer: thread-safe, idempotent, with its own thread that serves delivery reports."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import Message as KafkaMessage
from confluent_kafka import Producer as KafkaProducer

from shared.contracts.outcomes import Transient
from shared.contracts.records import Outgoing
from shared.messaging.convert import outcome_of
from shared.messaging.settings import KafkaSettings
from shared.observability import metrics

log = logging.getLogger(__name__)
_BY_KEY = -1


@dataclass(frozen=True)
class Delivered:
    """Where an acknowledged record is."""

    topic: str
    partition: int
    offset: int


class Producer:
    """`delivery_timeout_s`: a record not acknowledged by then has failed with `Transient`."""

    def __init__(self, settings: KafkaSettings, client_id: str, delivery_timeout_s: float = 120.0) -> None:
        config = settings.producer_config(client_id, delivery_timeout_s)
        self._config = config | {"error_cb": self._on_error}
        self._producer = KafkaProducer(self._config)
        self._broken = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"producer {client_id}", daemon=True)
        self._thread.start()

    def send(
        self,
        out: Outgoing,
        on_delivery: Callable[[Exception | None], None] | None = None,
        *,
        on_delivered: Callable[[Delivered], None] | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        """Queues `out`; later, in the producer's thread, `on_delivery` gets None or the exception.

        Blocks while the local queue is full. Raises `Transient` if it stays full for `timeout_s`,
        `Refused` for a record that is too large; then no callback comes.
        """

        def report(error: KafkaError | None, message: KafkaMessage) -> None:
            if error is None:
                metrics.RECORDS_OUT.labels(out.topic).inc()
                if on_delivered:
                    on_delivered(Delivered(out.topic, message.partition() or 0, message.offset() or 0))
            if on_delivery:
                on_delivery(None if error is None else outcome_of(error))
            elif error is not None and not on_delivered:
                log.error("record not delivered", extra={"topic": out.topic, "error": error.name()})

        partition = _BY_KEY if out.partition is None else out.partition
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                self._producer.produce(
                    out.topic, value=out.value, key=out.key, headers=list(out.headers),
                    partition=partition, on_delivery=report,
                )
                return
            except BufferError as error:
                if time.monotonic() > deadline or self._closed.wait(0.02):
                    raise Transient("the producer's queue is full") from error
            except KafkaException as error:
                raise outcome_of(error.args[0]) from error

    def send_and_wait(self, outs: Sequence[Outgoing], timeout_s: float) -> list[Delivered]:
        """Sends all and returns their places, in order, once every one is acknowledged.

        Raises `Transient` if that takes longer than `timeout_s` (a record may still arrive later)
        or a delivery fails, `Refused` for a record that Kafka will not take.
        """
        acks = _Acks(len(outs))
        for index, out in enumerate(outs):
            self.send(out, acks.failed, on_delivered=acks.placed(index), timeout_s=timeout_s)
        return acks.wait(timeout_s)

    def close(self, timeout_s: float = 10.0) -> None:
        """Waits for outstanding deliveries, at most `timeout_s`."""
        left = self._producer.flush(timeout_s)
        if left:
            log.warning("closing with undelivered records", extra={"records": left})
        self._closed.set()
        self._thread.join(timeout=5)

    def _serve(self) -> None:
        while not self._closed.is_set():
            self._producer.poll(0.1)
            if self._broken.is_set():
                self._replace()

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self._broken.set()

    def _replace(self) -> None:
        """After a fatal error (the broker lost its memory of this producer) a client never sends again.

        What it held fails as `Transient`, so whoever sent it sends it again, through the new one.
        """
        log.error("the producer failed for good: starting another")
        old, self._producer = self._producer, KafkaProducer(self._config)
        self._broken.clear()
        old.purge()
        old.flush(5.0)


class _Acks:
    """Counts the delivery reports of one `send_and_wait`."""

    def __init__(self, count: int) -> None:
        self._places: list[Delivered | None] = [None] * count
        self._error: Exception | None = None
        self._changed = threading.Condition()

    def placed(self, index: int) -> Callable[[Delivered], None]:
        def note(place: Delivered) -> None:
            with self._changed:
                self._places[index] = place
                self._changed.notify_all()

        return note

    def failed(self, error: Exception | None) -> None:
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    def wait(self, timeout_s: float) -> list[Delivered]:
        with self._changed:
            done = self._changed.wait_for(lambda: self._error or None not in self._places, timeout_s)
            if self._error:
                raise self._error
            if not done:
                raise Transient(f"the broker did not acknowledge within {timeout_s} s")
            return [place for place in self._places if place is not None]
