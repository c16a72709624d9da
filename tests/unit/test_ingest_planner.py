"""Planning: what a job becomes, whatever went wrong before."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.ingest.fetch import Fetcher
from services.ingest.plan import rejection
from shared.contracts.jobs import (
    Cancelled,
    JobAccepted,
    JobDeleted,
    MediaRef,
    Planned,
    Rejected,
    SegmentPlanned,
)
from shared.contracts.outcomes import BadMedia, Transient
from tests.support.ingest import MP4, RULES, Ingest, info, ingest, planned, task, verdict

JOB = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Ingest]:
    with ingest(tmp_path) as replica:
        yield replica


def accepted(replica: Ingest, uri: str = f"s3://veracity/jobs/{JOB}/media", source: str = "upload",
             **changes: Any) -> JobAccepted:
    facts: dict[str, Any] = {
        "created_at": replica.clock(), "request_digest": "d", "source": source,
        "media": MediaRef(uri=uri, size=len(MP4), sha256="a" * 64 if source == "upload" else None),
    }
    return JobAccepted(job_id=JOB, **facts | changes)


def rejected_with(replica: Ingest, job: JobAccepted) -> str:
    replica.say(job)
    (answer,) = replica.plan()
    assert isinstance(answer, Rejected)
    return answer.error.code


def test_a_clip_becomes_a_plan_and_one_event_for_each_30_s(replica: Ingest) -> None:
    replica.store.put(f"jobs/{JOB}/media", MP4)
    replica.probe = lambda source, sha256: info(70.4, sha256=sha256)
    replica.say(accepted(replica))
    plan, *segments = replica.plan()
    assert isinstance(plan, Planned)
    assert (plan.windows, plan.segments, plan.modalities, plan.degraded) == (70, 3, ("video", "audio"), ())
    assert plan.bundle_digest == RULES.bundle_digest
    assert plan.deadline == replica.clock() + timedelta(seconds=60 + 704)
    events = [segment for segment in segments if isinstance(segment, SegmentPlanned)]
    assert [(e.first_window, e.window_count) for e in events] == [(0, 30), (30, 30), (60, 10)]
    assert {e.media.uri for e in events} == {f"s3://veracity/jobs/{JOB}/media"}


@pytest.mark.parametrize(("absent", "left"), [("audio", ("video",)), ("video", ("audio",))])
def test_a_modality_without_a_stream_is_not_planned(
    replica: Ingest, absent: str, left: tuple[str, ...]
) -> None:
    replica.store.put(f"jobs/{JOB}/media", MP4)
    replica.probe = lambda source, sha256: info(**{f"has_{absent}": False})
    replica.say(accepted(replica))
    plan = replica.plan()[0]
    assert isinstance(plan, Planned)
    assert plan.modalities == left
    assert [(d.modality, d.reason) for d in plan.degraded] == [(absent, f"no_{absent}_stream")]


def test_planning_again_after_a_crash_says_the_same_without_looking_again(replica: Ingest) -> None:
    replica.store.put(f"jobs/{JOB}/media", MP4)
    (record,) = replica.say(accepted(replica))
    first = replica.plan()
    replica.probe = lambda source, sha256: pytest.fail("probed again")
    replica.clock.forward(1000)
    other_bundle = replica.planner(replace(RULES, bundle_digest="c" * 64))
    assert list(other_bundle.handle(task(record))) == first


def test_a_job_with_a_verdict_is_left_alone(replica: Ingest) -> None:
    (record, *_) = replica.say(accepted(replica), planned(JOB), verdict(JOB))
    assert list(replica.planner().handle(task(record))) == []


def test_a_rejected_job_is_left_alone(replica: Ingest) -> None:
    (record, *_) = replica.say(accepted(replica), rejection(JOB, BadMedia("no_frames")))
    assert list(replica.planner().handle(task(record))) == []


def test_bad_media_reject_the_job_by_name(replica: Ingest) -> None:
    replica.store.put(f"jobs/{JOB}/media", MP4)

    def crash(source: Any, sha256: str) -> Any:
        raise BadMedia("decoder_crashed")

    replica.probe = crash
    assert rejected_with(replica, accepted(replica)) == "decoder_crashed"


def test_media_that_are_gone_reject_the_job(replica: Ingest) -> None:
    assert rejected_with(replica, accepted(replica)) == "media_missing"


def test_an_outage_is_not_the_medias_fault(replica: Ingest) -> None:
    (record,) = replica.say(accepted(replica))
    replica.store.outage = "away"
    with pytest.raises(Transient):
        list(replica.planner().handle(task(record)))


@pytest.mark.parametrize(
    "uri",
    [
        "s3://secrets/key", "s3://veracity/jobs/other/media", "s3://media/", "s3://media/folder/", "s3://media",
        "s3://media/../x", "file:///etc/passwd", "ftp://x/y", "media/clip.mp4", "",
    ],
)
def test_uris_outside_the_allowed_buckets_are_refused(replica: Ingest, uri: str) -> None:
    assert rejected_with(replica, accepted(replica, uri, "event")) == "uri_forbidden"


def test_jobs_of_our_own_bucket_are_refused_even_where_it_is_allowed(replica: Ingest) -> None:
    rules = replace(RULES, media_buckets=frozenset({"veracity"}))
    (record,) = replica.say(accepted(replica, "s3://veracity/jobs/other/media", "event"))
    (answer,) = replica.planner(rules).handle(task(record))
    assert isinstance(answer, Rejected)
    assert answer.error.code == "uri_forbidden"


def test_an_object_of_an_allowed_bucket_is_copied_and_hashed(replica: Ingest) -> None:
    replica.store.within("media").put("shows/clip 1.mp4", MP4)
    replica.say(accepted(replica, "s3://media/shows/clip 1.mp4", "event"))
    plan = replica.plan()[0]
    assert isinstance(plan, Planned)
    assert plan.media_uri == f"s3://veracity/jobs/{JOB}/media"
    assert replica.store.get(f"jobs/{JOB}/media") == MP4
    assert plan.media.sha256 != "a" * 64


def test_an_object_that_is_too_large_is_not_copied(replica: Ingest) -> None:
    replica.store.within("media").put("big", b"x" * (RULES.max_bytes + 1))
    assert rejected_with(replica, accepted(replica, "s3://media/big", "event")) == "too_large"
    assert not list(replica.store.list("jobs/"))


class Pages(Fetcher):
    """A fetcher without a network: remembers what it was asked for, and gives what it was told to."""

    def __init__(self, content: bytes) -> None:
        super().__init__(RULES.max_bytes, 1, 1)
        self.__dict__.update(content=content, asked=[])  # it is frozen

    @property
    def urls(self) -> list[str]:
        urls: list[str] = self.__dict__["asked"]
        return urls

    @contextmanager
    def open(self, url: str) -> Iterator[Iterator[bytes]]:
        self.urls.append(url)
        content: bytes = self.__dict__["content"]
        yield iter([content[i : i + 700] for i in range(0, len(content), 700)])


def test_a_url_is_fetched_once_even_if_planning_is_repeated(replica: Ingest) -> None:
    replica.fetcher = pages = Pages(MP4)
    (record,) = replica.say(accepted(replica, "https://example.org/a.mp4", "url"))
    first = list(replica.planner().handle(task(record)))
    second = list(replica.planner().handle(task(record)))
    assert first == second
    assert pages.urls == ["https://example.org/a.mp4"]
    assert replica.store.get(f"jobs/{JOB}/media") == MP4


def test_a_url_to_something_else_leaves_nothing(replica: Ingest) -> None:
    replica.fetcher = Pages(b"<html>" + b"x" * 10_000)
    assert rejected_with(replica, accepted(replica, "https://example.org/", "url")) == "unsupported_media"
    assert not list(replica.store.list("jobs/"))


def test_a_deleted_job_is_not_planned_and_its_pipeline_is_told(replica: Ingest) -> None:
    replica.say(accepted(replica), JobDeleted(job_id=JOB, deleted_at=replica.clock()))
    assert replica.plan() == [Cancelled(job_id=JOB)]


def test_a_job_deleted_while_it_is_probed_is_not_planned(replica: Ingest) -> None:
    replica.store.put(f"jobs/{JOB}/media", MP4)

    def probe(source: Any, sha256: str) -> Any:
        replica.say(JobDeleted(job_id=JOB, deleted_at=replica.clock()))
        return info()

    replica.probe = probe
    replica.say(accepted(replica))
    assert replica.plan() == []


def test_the_winning_submission_is_written_again_over_a_later_one(replica: Ingest) -> None:
    """The topic is compacted: what comes last is what a new replica will know."""
    winner = accepted(replica)
    (_, losing) = replica.say(winner, accepted(replica, request_digest="other"))
    assert list(replica.planner().handle(task(losing))) == [winner]


def test_a_deletion_is_written_again_over_a_later_submission(replica: Ingest) -> None:
    deleted = JobDeleted(job_id=JOB, deleted_at=replica.clock())
    (_, late) = replica.say(deleted, accepted(replica))
    assert list(replica.planner().handle(task(late))) == [deleted]


def test_a_job_that_waited_too_long_for_planning_is_given_up(replica: Ingest) -> None:
    job = accepted(replica)
    replica.clock.forward(RULES.plan_within_s + 1)
    assert rejected_with(replica, job) == "deadline_passed"
