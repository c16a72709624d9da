"""The processing step over a store and a broker in memory: crashes anywhere, replays in another order."""

import asyncio
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.fusion.housekeeping import Housekeeping
from services.fusion.ports import STATES
from services.fusion.state import JobState
from services.fusion.step import BATCH, Fusion
from services.fusion.work import Job
from shared.contracts.base import ErrorBody, Event
from shared.contracts.embeddings import Embedding
from shared.contracts.jobs import Cancelled, DeadlinePassed, Rejected
from shared.contracts.records import Record
from shared.contracts.results import Verdict, WindowScored
from shared.contracts.topics import DEAD_LETTERS, VERDICTS, WINDOW_SCORES
from shared.messaging.limits import DeadLetterLimit, DeadLetterRatio
from shared.messaging.loop_settings import LoopSettings
from tests.support.fusion_fakes import (
    Crash,
    FakeJudge,
    MemoryPorts,
    embedding,
    embeddings,
    plan,
    record,
)

Messages = Sequence[Event | Embedding]


def fusion(ports: MemoryPorts, judge: FakeJudge | None = None) -> Fusion:
    return Fusion(ports, judge or FakeJudge(), DeadLetterRatio(LoopSettings()))


def run(ports: MemoryPorts, messages: Messages, batch: int = 10, judge: FakeJudge | None = None) -> None:
    async def all_of_them() -> None:
        step = fusion(ports, judge)
        records = [record(m, offset=i) for i, m in enumerate(messages)]
        for i in range(0, len(records), batch):
            await step.process(records[i : i + batch])

    asyncio.run(all_of_them())


def verdict(ports: MemoryPorts, job_id: str = "job") -> Verdict:
    (body,) = {*ports.values(VERDICTS.name, job_id)}
    return Verdict.model_validate_json(body)


def phases(ports: MemoryPorts) -> list[str]:
    assert all(key.startswith(STATES) for _, key in ports.state), "entries or plans were left behind"
    return [JobState.from_bytes(value).phase for value in ports.state.values()]


@given(st.integers(1, 5), st.integers(1, 30), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_any_order_and_any_batching_gives_the_same_verdict(windows: int, batch: int, rnd: Random) -> None:
    messages: list[Event | Embedding] = [plan("job", windows), *embeddings("job", windows)]
    straight, shuffled = MemoryPorts(), MemoryPorts()
    run(straight, messages)
    messages += rnd.sample(messages, len(messages) // 2)
    rnd.shuffle(messages)
    run(shuffled, messages, batch)
    assert shuffled.values(VERDICTS.name) == straight.values(VERDICTS.name)
    assert {*shuffled.values(WINDOW_SCORES.name)} == {*straight.values(WINDOW_SCORES.name)}
    assert len(shuffled.values(WINDOW_SCORES.name)) == windows
    assert phases(shuffled) == ["done"]


class Unreliable:
    """Dies before the n-th record that reaches the broker, for each n of a list."""

    def __init__(self, lives: list[int]) -> None:
        self.lives = [*lives]

    def __call__(self, what: str) -> None:
        if self.lives:
            self.lives[0] -= 1
            if self.lives[0] < 0:
                self.lives.pop(0)
                raise Crash


def survive(messages: Messages, lives: list[int], batch: int, rnd: Random) -> MemoryPorts:
    """Every crash loses all but the store and the broker; what was not acknowledged comes again, shuffled,
    since Kafka orders nothing across topics."""
    ports = MemoryPorts(Unreliable(lives))
    rest = [record(m, offset=i) for i, m in enumerate(messages)]

    async def life() -> None:
        step = fusion(ports)
        await Housekeeping(ports, lambda: ports, step, 1e9, clock=lambda: 0.0).start([0])
        while rest:
            await step.process(rest[:batch])
            del rest[:batch]

    while True:
        try:
            asyncio.run(life())
            return ports
        except Crash:
            rnd.shuffle(rest)


ENDS = [
    Cancelled(job_id="job"), DeadlinePassed(job_id="job"),
    Rejected(job_id="job", error=ErrorBody(code="no_streams", message="")),
]
lives = st.lists(st.integers(0, 12), max_size=6)


@given(st.integers(1, 3), lives, st.integers(1, 8), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=200)
def test_crashes_anywhere_leave_one_verdict_of_the_same_bytes(
    windows: int, lives: list[int], batch: int, rnd: Random
) -> None:
    messages: list[Event | Embedding] = [plan("job", windows), *embeddings("job", windows)]
    calm = MemoryPorts()
    run(calm, messages)
    rnd.shuffle(messages)
    stormy = survive(messages, lives, batch, rnd)
    assert {*stormy.values(VERDICTS.name)} == {*calm.values(VERDICTS.name)}
    assert {*stormy.values(WINDOW_SCORES.name)} == {*calm.values(WINDOW_SCORES.name)}
    assert phases(stormy) == ["done"]


@given(
    st.integers(1, 3), st.sampled_from(ENDS), lives, st.integers(1, 8),
    st.randoms(use_true_random=False),
)
@settings(deadline=None, max_examples=200)
def test_an_early_end_at_any_point_among_crashes_never_gives_two_verdicts(
    windows: int, end: Event, lives: list[int], batch: int, rnd: Random
) -> None:
    messages: list[Event | Embedding] = [plan("job", windows), *embeddings("job", windows), end]
    rnd.shuffle(messages)
    ports = survive(messages, lives, batch, rnd)
    bodies = {*ports.values(VERDICTS.name)}
    assert len(bodies) == 1 if isinstance(end, DeadlinePassed) else len(bodies) <= 1
    assert phases(ports) == ["done"]
    for body in bodies:
        scored = [v for v in Verdict.model_validate_json(body).series.p_fake if v is not None]
        windows_out = [WindowScored.model_validate_json(b) for b in ports.values(WINDOW_SCORES.name)]
        assert len(scored) <= len({w.window_index for w in windows_out})


def test_window_scores_are_out_before_the_verdict() -> None:
    ports = MemoryPorts()
    run(ports, [plan("job", 3), *embeddings("job", 3)], batch=100)
    assert [r.topic for r in ports.published] == [WINDOW_SCORES.name] * 3 + [VERDICTS.name]


def test_a_plan_that_comes_last_is_scored_in_bounded_batches() -> None:
    ports, judge = MemoryPorts(), FakeJudge()
    windows = 2 * BATCH + 1
    run(ports, [*embeddings("job", windows), plan("job", windows)], judge=judge)
    assert verdict(ports).windows == windows
    assert max(judge.batches) <= BATCH


def test_a_deadline_closes_with_what_is_there_and_names_what_is_missing() -> None:
    ports = MemoryPorts()
    came = [*embeddings("job", 1), embedding("job", 1, "video")]
    run(ports, [plan("job", 3), *came, DeadlinePassed(job_id="job")])
    found = verdict(ports)
    assert found.outcome == "analysed"
    assert [v is not None for v in found.series.p_fake] == [True, True, False]
    assert [(d.modality, d.reason, d.windows) for d in found.degraded] == [
        ("video", "missing", 1), ("audio", "missing", 2),
    ]


def test_a_deadline_without_a_plan_fails_the_job_by_name() -> None:
    ports = MemoryPorts()
    run(ports, [embedding("job", 0, "video"), DeadlinePassed(job_id="job"), plan("job", 1)])
    error = verdict(ports).error
    assert error is not None
    assert error.code == "deadline_passed"
    assert phases(ports) == ["done"]


@pytest.mark.parametrize("end", [ENDS[0], ENDS[2]], ids=["cancelled", "rejected"])
def test_a_cancelled_or_rejected_job_gets_no_verdict_and_leaves_only_a_tombstone(end: Event) -> None:
    ports = MemoryPorts()
    run(ports, [plan("job", 2), embedding("job", 0, "video"), end, *embeddings("job", 2)])
    assert ports.values(VERDICTS.name) == []
    assert phases(ports) == ["done"]


def refusals(ports: MemoryPorts) -> list[tuple[str, bytes | None]]:
    letters = [r for r in ports.published if r.topic == DEAD_LETTERS.name]
    return [(dict(r.headers)["dl_reason"].decode(), r.value) for r in letters]  # type: ignore[union-attr]


def test_poisoned_records_between_good_ones_are_dead_letters_with_their_bytes() -> None:
    ports = MemoryPorts()
    good = [record(plan("job", 1)), *(record(m) for m in embeddings("job", 1))]
    first = good[1]
    poison = [
        Record(first.topic, 0, 90, b"job", b"no safetensors", first.headers),
        Record(first.topic, 0, 91, b"job", None, ()),
        Record(first.topic, 0, 92, b"other job", first.value, first.headers),
        record(embedding("job", 0, "video", digest="e" * 64)),
        record(embedding("job", 5, "video")),
    ]
    asyncio.run(fusion(ports).process([poison[0], good[0], poison[1], good[1], *poison[2:], good[2]]))
    assert [reason for reason, _ in refusals(ports)] == [
        "malformed", "not_cloudevent", "wrong_key", "wrong_bundle", "window_out_of_range",
    ]
    assert [value for _, value in refusals(ports)] == [p.value for p in poison]
    assert verdict(ports).outcome == "analysed"


def test_too_many_dead_letters_stop_the_step_before_anything_is_published() -> None:
    ports = MemoryPorts()
    bad = [record(embedding("job", 0, "video", digest="e" * 64), offset=i) for i in range(60)]
    with pytest.raises(DeadLetterLimit):
        asyncio.run(fusion(ports).process(bad))
    assert ports.published == []


def test_a_plan_with_a_bundle_that_is_not_loaded_fails_at_its_deadline_by_name() -> None:
    ports = MemoryPorts()
    run(ports, [plan("job", 1, digest="e" * 64), DeadlinePassed(job_id="job")])
    error = verdict(ports).error
    assert error is not None
    assert error.code == "bundle_unavailable"


def test_what_the_model_cannot_score_is_degraded_and_the_job_goes_on() -> None:
    class Picky(FakeJudge):
        def score(self, digest, windows):  # type: ignore[no-untyped-def]
            if any(w.audio is not None and len(w.audio) == 13 for w in windows):
                raise RuntimeError("no thirteen")
            return super().score(digest, windows)

    ports = MemoryPorts()
    unlucky = embedding("job", 1, "audio", tokens=13)
    rest = [m for m in embeddings("job", 3) if (m.window_index, m.modality) != (1, "audio")]
    run(ports, [plan("job", 3), *rest, unlucky], judge=Picky(), batch=100)
    found = verdict(ports)
    assert [v is not None for v in found.series.p_fake] == [True, False, True]
    assert {d.reason for d in found.degraded} == {"scoring_failed"}


def test_a_repeat_of_a_stored_verdict_has_the_same_headers() -> None:
    messages: list[Event | Embedding] = [plan("job", 1), *embeddings("job", 1)]
    died: list[str] = []

    def die_before_the_mark(what: str) -> None:
        if what == "published" and ports.values(VERDICTS.name) and not died:
            died.append(what)
            raise Crash

    ports = MemoryPorts(die_before_the_mark)
    with pytest.raises(Crash):
        run(ports, messages)
    run(ports, messages)
    first, second = [r for r in ports.published if r.topic == VERDICTS.name]
    assert first == second


def test_each_record_writes_little_however_long_the_film() -> None:
    ports = MemoryPorts()
    run(ports, [plan("job", 7200)])
    before = ports.written
    run(ports, [embedding("job", 7000, "video", "absent", "no_face")])
    assert ports.written - before < 3_000


def test_old_tombstones_are_forgotten() -> None:
    ports = MemoryPorts()
    run(ports, [plan("job", 1), *embeddings("job", 1)])
    house = Housekeeping(ports, lambda: ports, fusion(ports), ttl_s=10.0, clock=lambda: 1e9)
    asyncio.run(house.maybe([0]))
    assert ports.state == {}


def test_jobs_that_wait_are_kept_until_they_are_old_too() -> None:
    ports = MemoryPorts()
    run(ports, [plan("job", 2), *embeddings("job", 1)])
    clock = [2.0]
    house = Housekeeping(ports, lambda: ports, fusion(ports), ttl_s=10.0, clock=lambda: clock[0])
    asyncio.run(house.maybe([0]))
    assert ports.state
    clock[0] = 100.0
    asyncio.run(house.maybe([0]))
    assert ports.state == {}


def test_finishing_a_job_that_is_open_does_nothing() -> None:
    ports = MemoryPorts()
    run(ports, [plan("job", 2)])
    asyncio.run(fusion(ports).finish({Job(0, "job"): ""}))
    assert ports.published == []


