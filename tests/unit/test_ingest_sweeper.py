"""What time does: deadlines, unplanned jobs, retention; once, and only where this replica plans."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from services.ingest.view import view
from shared.contracts.base import Event
from shared.contracts.codec import decode
from shared.contracts.jobs import DeadlinePassed, JobAccepted, JobDeleted, MediaRef, Rejected
from tests.support.ingest import Ingest, explained, ingest, planned, verdict

JOB = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Ingest]:
    with ingest(tmp_path) as replica:
        yield replica


def accept(replica: Ingest) -> JobAccepted:
    job = JobAccepted(
        job_id=JOB, created_at=replica.clock(), source="upload", request_digest="d",
        media=MediaRef(uri=f"s3://veracity/jobs/{JOB}/media"),
    )
    replica.say(job)
    return job


def said_by(replica: Ingest, partitions: frozenset[int] = frozenset(range(100))) -> list[Event]:
    before = len(replica.log.records)
    replica.sweeper(partitions).sweep()
    return [event for r in replica.log.records[before:] if isinstance(event := decode(r), Event)]


def test_a_job_past_its_deadline_is_closed(replica: Ingest) -> None:
    accept(replica)
    replica.say(planned(JOB, deadline=replica.clock() + timedelta(seconds=100)))
    assert said_by(replica) == []
    replica.clock.forward(101)
    assert said_by(replica) == [DeadlinePassed(job_id=JOB)]


def test_one_replica_says_it_and_says_it_once_in_a_while(replica: Ingest) -> None:
    accept(replica)
    replica.say(planned(JOB, deadline=replica.clock()))
    replica.clock.forward(1)
    assert said_by(replica, frozenset()) == []
    sweeper = replica.sweeper()
    sweeper.sweep()
    sweeper.sweep()
    assert len(replica.messages("job-control-v1")) == 2
    replica.clock.forward(61)
    sweeper.sweep()
    assert len(replica.messages("job-control-v1")) == 3


def test_a_job_with_a_verdict_has_no_deadline(replica: Ingest) -> None:
    accept(replica)
    replica.say(planned(JOB, deadline=replica.clock()), verdict(JOB))
    replica.clock.forward(1)
    assert said_by(replica) == []


def test_a_job_that_nobody_could_plan_is_rejected(replica: Ingest) -> None:
    accept(replica)
    replica.clock.forward(replica.settings.plan_within_s + 1)
    (answer,) = said_by(replica)
    assert isinstance(answer, Rejected)
    assert (answer.error.code, replica.state(JOB).status) == ("deadline_passed", "failed")


def test_a_verdict_stands_without_pictures_if_they_do_not_come(replica: Ingest) -> None:
    accept(replica)
    replica.say(planned(JOB), verdict(JOB))
    replica.clock.now = replica.state(JOB).updated_at + timedelta(seconds=1)
    assert (said_by(replica), replica.state(JOB).status) == ([], "running")
    replica.clock.forward(replica.settings.explain_within_s)
    assert (said_by(replica), replica.state(JOB).status) == ([], "completed")
    shown = view(replica.state(JOB)).results
    assert shown is not None
    assert shown.explanation == "failed"
    replica.say(explained(JOB))
    shown = view(replica.state(JOB)).results
    assert shown is not None
    assert shown.explanation == "ok"


def test_old_jobs_are_deleted_with_their_objects(replica: Ingest) -> None:
    accept(replica)
    replica.say(planned(JOB), verdict(JOB))
    replica.store.put(f"jobs/{JOB}/media", b"x")
    replica.clock.forward(replica.settings.keep_jobs_s + 1)
    sweeper = replica.sweeper()
    sweeper.sweep()
    assert isinstance(replica.messages("jobs-v1")[-1], JobDeleted)
    replica.state(JOB)
    replica.clock.forward(replica.settings.sweep_again_s + 1)
    sweeper.sweep()
    assert not list(replica.store.list("jobs/"))


def test_the_age_of_the_oldest_unfinished_job_is_measured(replica: Ingest) -> None:
    accept(replica)
    replica.state(JOB)
    replica.clock.forward(42)
    replica.sweeper().sweep()
    assert REGISTRY.get_sample_value("veracity_oldest_unfinished_job_seconds") == 42
    replica.say(verdict(JOB, outcome="failed", verdict=None))
    replica.state(JOB)
    replica.sweeper().sweep()
    assert REGISTRY.get_sample_value("veracity_oldest_unfinished_job_seconds") == 0
