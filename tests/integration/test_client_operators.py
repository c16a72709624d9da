"""topics and dlq, on a real broker."""

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest

from shared.contracts.codec import encode
from shared.contracts.examples import SEGMENT, TRACE, VERDICT
from shared.contracts.records import Outgoing, Record
from shared.contracts.topics import TOPICS, VIDEO_EVENTS
from shared.messaging.admin import create_topics
from shared.messaging.dead_letters import to_dead_letter
from shared.messaging.producer import Producer
from shared.messaging.reader import LogReader
from shared.messaging.settings import KafkaSettings
from tests.support.client import Ended, run

pytestmark = pytest.mark.kafka
NOT_UTF8 = b"\xff\xfe poison"


@pytest.fixture
def settings(kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> KafkaSettings:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka_bootstrap)
    made = KafkaSettings(bootstrap_servers=kafka_bootstrap)
    create_topics(made, partitions=4, replication=1)
    return made


@pytest.fixture
def producer(settings: KafkaSettings) -> Iterator[Producer]:
    made = Producer(settings, "test")
    yield made
    made.close(10)


@pytest.fixture
def job() -> str:
    return str(uuid4())


def bury(producer: Producer, job: str, value: bytes | None = None) -> tuple[Outgoing, str]:
    """A dead segment of `job`: what it was, and its place among the dead letters."""
    segment = encode(SEGMENT.model_copy(update={"job_id": job}), traceparent=TRACE)
    original = Record(
        segment.topic, 2, 5, segment.key, segment.value if value is None else value, segment.headers
    )
    letter = to_dead_letter(original, "video_worker", "malformed", "why", 3, error="InvalidRecord")
    placed = producer.send_and_wait([letter], 10)[0]
    back = Outgoing(original.topic, original.key, original.value, original.headers, 2)
    return back, f"{placed.partition}:{placed.offset}"


def dlq(*arguments: str, status: int = 0) -> Ended:
    ended = run("dlq", *arguments, "--json")
    assert ended.status == status, ended.stdout
    return ended


def records_of(settings: KafkaSettings, job: str) -> list[Record]:
    with LogReader(settings, [VIDEO_EVENTS.name], {}) as reader:
        return [r for r in reader.read_to_end(10) if (r.key or b"").startswith(job.encode())]


def test_create_makes_what_is_missing_and_may_be_repeated(settings: KafkaSettings) -> None:
    ended = run("topics", "create", "--json")
    assert (ended.status, ended.json()) == (0, {"created": [], "present": [t.name for t in TOPICS]})
    assert "present  jobs-v1" in run("topics", "create").stdout


def test_describe_says_what_the_broker_has(settings: KafkaSettings) -> None:
    found = run("topics", "describe", "--json").json()
    assert found["missing"] == []
    assert found["expected"] == {}
    assert found["topics"]["jobs-v1"]["cleanup.policy"] == "compact"
    assert "jobs-v1: partitions" in run("topics", "describe").stdout


def test_list_and_show_tell_the_whole_story(producer: Producer, job: str) -> None:
    original, place = bury(producer, job)
    listed = {letter["id"]: letter for letter in dlq("list", "--reason", "malformed").json()["dead_letters"]}
    assert listed[place]["key"] == f"{job}:1"
    shown = dlq("show", place).json()
    assert (shown["topic"], shown["partition"], shown["offset"]) == ("video-events-v1", 2, 5)
    assert (shown["reason"], shown["attempts"], shown["service"]) == ("malformed", 3, "video_worker")
    assert json.loads(shown["value"]) == json.loads(original.value or b"")
    assert shown["headers"] == {name: (data or b"").decode() for name, data in original.headers}
    assert "video-events-v1[2]@5" in run("dlq", "list").stdout
    assert f"key: {job}:1" in run("dlq", "show", place).stdout


def test_bytes_that_are_no_text_are_shown_as_base64(producer: Producer, job: str) -> None:
    place = bury(producer, job, NOT_UTF8)[1]
    assert dlq("show", place).json()["value_base64"] == "//4gcG9pc29u"
    assert run("dlq", "show", place).status == 0


def test_replay_puts_the_record_back_as_it_was(
    settings: KafkaSettings, producer: Producer, job: str
) -> None:
    original, place = bury(producer, job, NOT_UTF8)
    report = dlq("replay", place).json()
    (back,) = records_of(settings, job)
    assert Outgoing(back.topic, back.key, back.value, back.headers, back.partition) == original
    assert report == {
        "replayed": [{"id": place, "topic": back.topic, "partition": 2, "offset": back.offset}], "refused": []
    }


def test_replay_refuses_a_job_that_has_a_verdict(
    settings: KafkaSettings, producer: Producer, job: str
) -> None:
    producer.send_and_wait([encode(VERDICT.model_copy(update={"job_id": job}))], 10)
    place = bury(producer, job)[1]
    other, other_place = bury(producer, f"{job}-open")
    report = dlq("replay", place, other_place, status=3).json()
    assert [(r["id"], r["code"]) for r in report["refused"]] == [(place, "has_verdict")]
    assert "submit its clip again" in report["refused"][0]["message"]
    assert [done["id"] for done in report["replayed"]] == [other_place]
    assert [record.key for record in records_of(settings, job)] == [other.key]


def test_what_is_not_there_is_not_replayed(settings: KafkaSettings) -> None:
    assert dlq("replay", "0:999999999", status=3).json()["error"]["code"] == "not_found"
    assert dlq("replay", status=2).json()["error"]["code"] == "nothing_named"


def test_a_broker_that_is_away_ends_with_5() -> None:
    for command in (["topics", "describe"], ["dlq", "list"]):
        ended = run(*command, "--bootstrap-servers", "127.0.0.1:1", "--json")
        assert (ended.status, ended.json()["error"]["code"]) == (5, "broker_unreachable")
