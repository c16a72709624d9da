"""Records that a service cannot process end as dead letters with their reason, and nobody is harmed."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from shared.contracts.codec import encode
from shared.contracts.jobs import MediaInfo, MediaRef, SegmentPlanned
from shared.contracts.records import Outgoing
from shared.contracts.topics import INBOX, MEDIA_SUBMITTED, VIDEO_EVENTS
from shared.messaging.dead_letters import DeadLetter, dead_letters
from shared.messaging.producer import Delivered, Producer
from tests.support.clip_files import FPS, RATE, Frames, Samples, write_clip
from tests.support.local_stack import LocalStack
from tests.support.stack_client import StackClient, wait_for

pytestmark = pytest.mark.stack
ABOUT = {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "/elsewhere"}
SUBMITTED, SEGMENT = "io.veracity.media.submitted.v1", "io.veracity.segment.planned.v1"
WORKERS = {"audio_worker", "video_worker"}


def record(topic: str, value: bytes | None, ce_type: str | None) -> Outgoing:
    """As a stranger writes it; without `ce_type` it has no headers of ours."""
    ours = {**ABOUT, "ce_type": ce_type or "", "content-type": "application/json"}
    headers = ours if ce_type else {"x-own": "\x00"}
    encoded = tuple((name, text.encode()) for name, text in headers.items())
    return Outgoing(topic, uuid.uuid4().hex.encode(), value, encoded)


@pytest.fixture
def publish(stack: LocalStack) -> Iterator[Producer]:
    producer = Producer(stack.kafka, "stranger")
    yield producer
    producer.close()


def letters_of(stack: LocalStack, place: Delivered, count: int) -> list[DeadLetter]:
    """The `count` dead letters of the record at `place`, once they are there."""

    def ask() -> list[DeadLetter] | None:
        found = [
            letter for letter in dead_letters(stack.kafka)
            if (letter.topic, letter.partition, letter.offset) == (place.topic, place.partition, place.offset)
        ]
        return found if len(found) >= count else None

    return wait_for(ask, f"{count} dead letters of {place}", 60)


def unharmed(
    stack: LocalStack, client: StackClient, demo: tuple[Frames, Samples], pids: dict[str, int]
) -> None:
    frames, samples = demo
    good = client.finished(client.submit(write_clip(frames[:FPS], samples[:RATE])))
    assert good.status == "completed" and good.results and not good.results.degraded
    assert stack.pids() == pids


@pytest.mark.parametrize(("topic", "value", "ce_type", "reason", "services"), [
    (MEDIA_SUBMITTED.name, b"\xff\x00 no JSON", None, "not_cloudevent", {"ingest"}),
    (MEDIA_SUBMITTED.name, b"{}", SUBMITTED, "malformed", {"ingest"}),
    (MEDIA_SUBMITTED.name, b"[1, 2", SUBMITTED, "malformed", {"ingest"}),
    (MEDIA_SUBMITTED.name, None, SUBMITTED, "tombstone", {"ingest"}),
    (MEDIA_SUBMITTED.name, b"{}", "com.example.other.v1", "unknown_type", {"ingest"}),
    (MEDIA_SUBMITTED.name, b"{}", "io.veracity.media.submitted.v9", "unknown_version", {"ingest"}),
    (INBOX.name, b"no event", None, "malformed", {"ingest"}),
    (VIDEO_EVENTS.name, b"\x00" * 64, None, "not_cloudevent", WORKERS),
    (VIDEO_EVENTS.name, b'{"job_id": "a", "segment": -1}', SEGMENT, "malformed", WORKERS),
])  # fmt: skip
def test_a_malformed_record_is_kept_whole_with_its_reason(
    stack: LocalStack, client: StackClient, publish: Producer, demo: tuple[Frames, Samples],
    topic: str, value: bytes | None, ce_type: str | None, reason: str, services: set[str],
) -> None:
    pids, sent = stack.pids(), record(topic, value, ce_type)
    [place] = publish.send_and_wait([sent], 30)
    letters = letters_of(stack, place, len(services))
    assert {letter.service for letter in letters} == services
    for letter in letters:
        assert letter.reason == reason and letter.attempts == 1
        assert (letter.letter.key, letter.letter.value) == (sent.key, value)
        assert letter.letter.headers[: len(sent.headers)] == sent.headers
    unharmed(stack, client, demo, pids)


def test_a_segment_for_another_bundle_is_named_so_by_both_workers(
    stack: LocalStack, client: StackClient, publish: Producer, demo: tuple[Frames, Samples]
) -> None:
    info = MediaInfo(sha256="0" * 64, size=9, container="mp4", duration_s=1.0, has_video=True, has_audio=True)
    segment = SegmentPlanned(
        job_id=str(uuid.uuid4()), segment=0, first_window=0, window_count=1, modalities=("video", "audio"),
        media=MediaRef(uri="s3://veracity/jobs/none/media", size=9, sha256="0" * 64), info=info,
        bundle_digest="of-nobody", deadline=datetime.now(UTC) + timedelta(hours=1),
    )
    pids = stack.pids()
    [place] = publish.send_and_wait([encode(segment)], 30)
    letters = letters_of(stack, place, 2)
    assert {(letter.service, letter.reason) for letter in letters} == {(w, "wrong_bundle") for w in WORKERS}
    unharmed(stack, client, demo, pids)
