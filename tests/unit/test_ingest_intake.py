"""Submissions by Kafka: upstream events in both CloudEvents modes, and the inbox's notifications."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.ingest.intake import Intake, read
from shared.contracts.codec import encode
from shared.contracts.jobs import JobAccepted, JobOptions, MediaSubmitted
from shared.contracts.outcomes import InvalidRecord
from shared.contracts.records import Headers, Record
from shared.contracts.topics import INBOX, MEDIA_SUBMITTED
from shared.messaging.handlers import Task
from tests.support.ingest import Ingest, ingest

SUBMITTED = MediaSubmitted(id="show-7", media_uri="https://example.org/a.mp4", options=JobOptions(top_k=2))


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Ingest]:
    with ingest(tmp_path) as replica:
        yield replica


def record(topic: str, value: bytes, headers: Headers = ()) -> Record:
    return Record(topic, 0, 0, None, value, headers)


def take(replica: Ingest, record: Record) -> list[JobAccepted]:
    messages = list(Intake(replica.jobs, "inbox", replica.clock).handle(Task(record, read(record), "")))
    assert all(isinstance(message, JobAccepted) for message in messages)
    return [message for message in messages if isinstance(message, JobAccepted)]


def structured() -> Record:
    event = {
        "specversion": "1.0", "id": "any", "type": MediaSubmitted.TYPE, "source": "/cms",
        "datacontenttype": "application/json",
        "data": {"id": "show-7", "media_uri": "https://example.org/a.mp4", "options": {"top_k": 2}},
    }
    return record(
        MEDIA_SUBMITTED.name, json.dumps(event).encode(),
        (("content-type", b"application/cloudevents+json"),),
    )


def binary() -> Record:
    out = encode(SUBMITTED)
    return record(out.topic, out.value or b"", out.headers)


def notification(key: str = "shows/my+clip%281%29.mp4", bucket: str = "inbox", **changes: Any) -> Record:
    thing = {"key": key, "size": 9, "eTag": "e1", "sequencer": "s"} | changes
    event = {"eventName": "s3:ObjectCreated:Put", "s3": {"bucket": {"name": bucket}, "object": thing}}
    return record(INBOX.name, json.dumps({"EventName": "x", "Key": "y", "Records": [event]}).encode())


@pytest.mark.parametrize("form", [structured, binary])
def test_an_upstream_event_becomes_the_same_job_in_either_mode(replica: Ingest, form: Any) -> None:
    (job,) = take(replica, form())
    assert (job.source, job.media.uri, job.options.top_k) == ("event", "https://example.org/a.mp4", 2)
    assert job.job_id == take(replica, binary())[0].job_id


def test_a_repeated_event_is_no_second_job(replica: Ingest) -> None:
    replica.say(*take(replica, binary()))
    assert take(replica, binary()) == []


def test_a_dropped_file_becomes_a_job_under_its_decoded_name(replica: Ingest) -> None:
    (job,) = take(replica, notification())
    assert (job.source, job.media.uri, job.media.size) == ("inbox", "s3://inbox/shows/my clip(1).mp4", 9)


def test_the_same_name_with_other_content_is_another_job(replica: Ingest) -> None:
    (first,), (second,) = take(replica, notification()), take(replica, notification(eTag="e2"))
    assert first.job_id != second.job_id


def test_removals_are_no_submissions(replica: Ingest) -> None:
    value = notification().value or b""
    removal = value.replace(b"ObjectCreated:Put", b"ObjectRemoved:Delete")
    assert take(replica, record(INBOX.name, removal)) == []


def test_notifications_of_another_bucket_are_refused(replica: Ingest) -> None:
    with pytest.raises(InvalidRecord, match="wrong_bucket"):
        take(replica, notification(bucket="veracity"))


@pytest.mark.parametrize(
    "value", [b"", b"{", b"[]", b'{"Records": [1]}', b'{"Records": [{"eventName": "s3:ObjectCreated:Put"}]}']
)
def test_malformed_notifications_are_refused(value: bytes) -> None:
    with pytest.raises(InvalidRecord, match="malformed"):
        read(record(INBOX.name, value))


def test_malformed_events_are_refused() -> None:
    for bad in (record(MEDIA_SUBMITTED.name, b"not an event"), record(MEDIA_SUBMITTED.name, b"")):
        with pytest.raises(InvalidRecord):
            read(bad)


def test_a_bad_uri_is_a_job_that_planning_rejects_by_name(replica: Ingest) -> None:
    out = encode(SUBMITTED.model_copy(update={"media_uri": "https://169.254.169.254/latest"}))
    replica.say(*take(replica, record(out.topic, out.value or b"", out.headers)))
    (answer,) = replica.plan()
    assert answer.model_dump()["error"]["code"] == "url_forbidden"
