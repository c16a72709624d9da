"""The read model: offsets and content go together, and it is never wrong about which log it folded."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.ingest.memory import MemoryLog
from services.ingest.read_model import JobState, ReadModel
from services.ingest.read_model.fold import apply
from shared.contracts.base import ErrorBody, Event
from shared.contracts.codec import encode
from shared.contracts.jobs import JobAccepted, JobDeleted, MediaRef, Rejected
from shared.contracts.records import Outgoing
from tests.support.ingest import Clock, explained, ingest, planned, score, verdict

JOB = "11111111-1111-1111-1111-111111111111"
NOW = Clock().now
ACCEPTED = JobAccepted(
    job_id=JOB, created_at=NOW, source="upload", request_digest="d", media=MediaRef(uri="s3://veracity/x")
)
SAID: list[Event] = [
    ACCEPTED, planned(JOB), score(JOB, 0), score(JOB, 1), score(JOB, 2), verdict(JOB), explained(JOB),
    Rejected(job_id=JOB, error=ErrorBody(code="no_frames", message="m")),
]


def folded(path: Path, messages: list[Event]) -> JobState | None:
    log, model = MemoryLog(), ReadModel(path)
    for message in messages:
        model.fold([log.append(encode(message))])
    state = model.get(JOB)
    model.close()
    return state


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.permutations(range(len(SAID))), st.lists(st.integers(0, len(SAID) - 1), max_size=6))
def test_topics_may_overtake_each_other_and_repeat(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], repeats: list[int]
) -> None:
    state = folded(tmp_path_factory.mktemp("m") / "db", [SAID[i] for i in [*order, *repeats]])
    assert state is not None
    assert (state.status, state.windows) == ("completed", ())
    assert (state.accepted, state.planned, state.verdict) == (ACCEPTED, planned(JOB), verdict(JOB))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.permutations(range(len(SAID))), st.integers(0, len(SAID)))
def test_nothing_brings_a_deleted_job_back(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], at: int
) -> None:
    messages = [SAID[i] for i in order]
    messages.insert(at, JobDeleted(job_id=JOB, deleted_at=NOW))
    state = folded(tmp_path_factory.mktemp("m") / "db", messages)
    assert state is not None
    assert (state.status, state.accepted, state.verdict, state.windows) == ("cancelled", None, None, ())


def test_a_fold_that_fails_leaves_neither_content_nor_offsets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, model = MemoryLog(), ReadModel(tmp_path / "db")
    records = [log.append(encode(m)) for m in (ACCEPTED, planned(JOB))]
    def failing(db: sqlite3.Connection, record: object, message: object) -> bool:
        if message != ACCEPTED:
            raise sqlite3.OperationalError("disk full")
        return apply(db, record, message)  # type: ignore[arg-type]

    monkeypatch.setattr("services.ingest.read_model.model.apply", failing)
    with pytest.raises(sqlite3.OperationalError):
        model.fold(records)
    assert (model.get(JOB), model.positions()) == (None, {})
    model.close()


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    log = MemoryLog()
    with ingest(tmp_path, log) as replica:
        replica.say(ACCEPTED)
        assert replica.state(JOB).status == "pending"
    with ingest(tmp_path, log) as replica:
        assert replica.model.get(JOB) is not None
        replica.say(planned(JOB))
        assert replica.state(JOB).status == "running"


def test_another_log_under_the_same_name_is_folded_anew(tmp_path: Path) -> None:
    with ingest(tmp_path) as replica:
        replica.say(ACCEPTED)
        replica.state(JOB)
    with ingest(tmp_path, MemoryLog()) as replica:
        assert replica.jobs.current(JOB) is None


def test_a_file_of_another_version_is_folded_anew(tmp_path: Path) -> None:
    log = MemoryLog()
    with ingest(tmp_path, log) as replica:
        replica.say(ACCEPTED)
        replica.state(JOB)
    with sqlite3.connect(tmp_path / "read_model.sqlite") as old:
        old.execute("PRAGMA user_version = 999")
    old.close()
    with ingest(tmp_path, log) as replica:
        assert replica.state(JOB).accepted == ACCEPTED


def test_a_malformed_record_is_passed_over(tmp_path: Path) -> None:
    with ingest(tmp_path) as replica:
        replica.log.append(Outgoing("jobs-v1", JOB.encode(), b"{", ()))
        replica.say(ACCEPTED)
        assert replica.state(JOB).status == "pending"
