"""The producer on a broker."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from confluent_kafka import KafkaError

from shared.contracts.outcomes import Transient
from shared.messaging.convert import Refused
from shared.messaging.producer import Producer
from shared.messaging.settings import MAX_MESSAGE_BYTES, KafkaSettings
from tests.support.messaging import PATIENCE_S, Rig, eventually, mock_broker, rig


@pytest.fixture
def on() -> Iterator[Rig]:
    _alive, bootstrap = mock_broker()
    with rig(KafkaSettings(bootstrap_servers=bootstrap), 4, mock=True) as made:
        yield made


def test_places_come_back_in_order(on: Rig) -> None:
    sent = [replace(on.event(n), partition=n % 2) for n in range(6)]
    places = on.send(*sent)
    assert [p.partition for p in places] == [0, 1, 0, 1, 0, 1]
    assert [p.offset for p in places] == [0, 0, 1, 1, 2, 2]


def test_keys_go_where_java_puts_them(on: Rig) -> None:
    """murmur2 of "abc" & 0x7fffffff is 479470107 (Kafka's own UtilsTest), of "foobar" 1357151166."""
    places = on.send(*(replace(on.event(0), key=key) for key in (b"abc", b"foobar")))
    assert [p.partition for p in places] == [479470107 % 4, 1357151166 % 4]


def test_a_record_that_is_too_large_is_refused_at_once(on: Rig) -> None:
    huge = replace(on.event(0), value=b"x" * (MAX_MESSAGE_BYTES + 1))
    with pytest.raises(Refused):
        on.send(huge)


def test_eight_mebibytes_and_headers_go_through(on: Rig) -> None:
    large = replace(on.event(0), value=bytes(8 * 1024 * 1024), headers=(("dl_detail", b"x" * 2_000),))
    on.send(large)
    assert on.records(on.topic)[0].value == large.value


def test_after_a_fatal_error_another_client_takes_over(on: Rig) -> None:
    on.send(on.event(0))
    fatal = KafkaError(KafkaError._FATAL, "invented", True)
    old = on.producer._producer
    on.producer._on_error(fatal)
    eventually(lambda: on.producer._producer is not old, "another client")
    on.send(on.event(1))
    assert len(on.records(on.topic)) == 2


def test_undelivered_records_are_reported_when_their_time_is_over() -> None:
    alive, bootstrap = mock_broker()
    producer = Producer(KafkaSettings(bootstrap_servers=bootstrap), "tests", delivery_timeout_s=0.5)
    del alive  # the broker with it
    reported, errors = threading.Event(), []

    def report(error: Exception | None) -> None:
        errors.append(error)
        reported.set()

    producer.send(Rig(KafkaSettings(), "gone", 1, producer, True).event(0), report)
    assert reported.wait(PATIENCE_S)
    assert isinstance(errors[0], Transient)
    producer.close()
