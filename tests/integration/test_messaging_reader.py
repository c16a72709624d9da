"""Reading whole topics without a group."""

from collections.abc import Iterator

import pytest

from shared.contracts.outcomes import Transient
from shared.contracts.topics import TOPICS
from shared.messaging.admin import create_topics, describe_topics
from shared.messaging.handlers import one_by_one
from shared.messaging.reader import LogReader
from shared.messaging.settings import KafkaSettings
from tests.support.messaging import PATIENCE_S, Rig, eventually, mock_broker, rig


@pytest.fixture(params=["mock", pytest.param("kafka", marks=pytest.mark.kafka)])
def on(request: pytest.FixtureRequest) -> Iterator[Rig]:
    if request.param == "mock":
        _alive, bootstrap = mock_broker()
    else:
        bootstrap = request.getfixturevalue("kafka_bootstrap")
    with rig(KafkaSettings(bootstrap_servers=bootstrap), 4, mock=request.param == "mock") as made:
        yield made


def test_everything_is_read_in_order_within_each_partition(on: Rig) -> None:
    sent = on.send_jobs(30)
    found = [(r.partition, r.offset) for r in on.records(on.topic)]
    assert sorted(found) == sorted((place.partition, place.offset) for place in sent)
    for partition in range(on.partitions):
        offsets = [offset for number, offset in found if number == partition]
        assert offsets == sorted(offsets)


def test_a_reader_goes_on_where_another_stopped(on: Rig) -> None:
    on.send_jobs(10)
    with LogReader(on.kafka, [on.topic], {}) as reader:
        list(reader.read_to_end(PATIENCE_S))
        positions = reader.positions()
        assert positions == reader.end_offsets()
    (place,) = on.send(on.event(10))
    with LogReader(on.kafka, [on.topic], positions) as reader:
        (record,) = reader.read_to_end(PATIENCE_S)
    assert (record.partition, record.offset) == (place.partition, place.offset)


def test_an_empty_topic_ends_at_once(on: Rig) -> None:
    assert on.records(on.topic) == []


def test_two_readers_see_everything_each(on: Rig) -> None:
    on.send_jobs(5)
    assert len(on.records(on.topic)) == len(on.records(on.topic)) == 5


def test_reading_leaves_no_trace_in_the_group(on: Rig) -> None:
    on.send_jobs(5)
    on.records(on.topic)
    with on.loop(one_by_one(lambda task: [])):
        eventually(on.all_committed, "the group reads everything itself")


@pytest.mark.kafka
def test_a_missing_topic_is_transient(kafka_bootstrap: str) -> None:
    with pytest.raises(Transient, match="no topic nowhere"):
        LogReader(KafkaSettings(bootstrap_servers=kafka_bootstrap), ["nowhere"], {}, timeout_s=0.5)


@pytest.mark.kafka
def test_topics_are_made_once_as_the_table_says(kafka_bootstrap: str) -> None:
    kafka = KafkaSettings(bootstrap_servers=kafka_bootstrap)
    create_topics(kafka)
    assert create_topics(kafka) == []
    described = describe_topics(kafka)
    for topic in TOPICS:
        policies = described[topic.name]["cleanup.policy"].split(",")
        assert sorted(policies) == sorted(topic.cleanup.split(","))
        assert described[topic.name]["max.message.bytes"] == str(topic.max_message_bytes)
