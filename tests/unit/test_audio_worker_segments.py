"""What both workers promise of every segment, shown on a branch whose media are lists."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.jobs import Cancelled
from shared.contracts.outcomes import BadMedia, InvalidRecord, Transient
from shared.inference.segments import SegmentHandler
from shared.inference.windows import Window
from tests.support.segments import FakeBranch, faults, finished, records, segment, task


def sound(*indexes: int) -> list[Window[int] | Exception]:
    return [Window(i, payload=i, speech=1.0) for i in indexes]


def test_each_planned_window_gets_one_record_and_then_the_task_finishes() -> None:
    branch = FakeBranch({"job": sound(30, 31, 32, 33)})
    steps = list(SegmentHandler(branch)([task(segment(first=30, count=4))]))
    found = records(steps)
    assert sorted(found) == [30, 31, 32, 33]
    assert {r.status for r in found.values()} == {"ok"}
    assert found[32].tensors["tokens"][0, 0] == 32
    assert found[32].speech == 1.0
    assert steps[-1][0] == 0
    assert finished(steps) == [0]


def test_what_is_not_there_is_absent_and_what_broke_is_failed() -> None:
    branch = FakeBranch({"job": [
        Window(0, reason="no_speech", speech=0.0), Window(1, reason="past_end"),
        Window(2, reason="decode_failed"),
    ]})
    found = records(SegmentHandler(branch)([task(segment(count=3))]))
    assert [(found[i].status, found[i].reason) for i in range(3)] == [
        ("absent", "no_speech"), ("absent", "past_end"), ("failed", "decode_failed"),
    ]
    assert found[0].speech == 0.0
    assert branch.batches == []


def test_bad_media_in_the_middle_fails_the_rest_by_its_code_and_keeps_what_came_before() -> None:
    branch = FakeBranch({"job": [*sound(0, 1), BadMedia("decoder_crashed")]})
    steps = list(SegmentHandler(branch)([task(segment(count=4))]))
    found = records(steps)
    assert [found[i].status for i in range(4)] == ["ok", "ok", "failed", "failed"]
    assert found[3].reason == "decoder_crashed"
    assert finished(steps) == [0]
    assert not faults(steps)


def test_windows_that_decoding_forgot_are_failed_and_windows_nobody_planned_are_dropped() -> None:
    branch = FakeBranch({"job": [*sound(1, 1, 9)]})
    found = records(SegmentHandler(branch)([task(segment(count=3))]))
    assert {i: found[i].reason for i in found} == {0: "decode_failed", 1: "", 2: "decode_failed"}


def test_a_store_that_is_away_stops_only_its_own_task() -> None:
    branch = FakeBranch({"a": [*sound(0), Transient("away")], "b": sound(0, 1)})
    steps = list(SegmentHandler(branch)([task(segment("a")), task(segment("b", count=2))]))
    assert isinstance(faults(steps)[0], Transient)
    assert sorted(records(steps, 1)) == [0, 1]
    assert finished(steps) == [1]


def test_a_segment_without_this_modality_finishes_without_a_record() -> None:
    branch = FakeBranch({})
    steps = list(SegmentHandler(branch)([task(segment(modalities=("video",)))]))
    assert finished(steps) == [0]
    assert len(steps) == 1


@pytest.mark.parametrize(("message", "reason"), [
    (segment(digest="sha256:other"), "wrong_bundle"),
    (Cancelled(job_id="job"), "unexpected_type"),
])
def test_a_record_for_another_model_or_of_another_kind_is_invalid(message: object, reason: str) -> None:
    branch = FakeBranch({"good": sound(0)})
    steps = list(SegmentHandler(branch)([task(message), task(segment("good", count=1))]))
    fault = faults(steps)[0]
    assert isinstance(fault, InvalidRecord)
    assert fault.reason == reason
    assert finished(steps) == [1]


def test_batches_start_small_double_and_hold_windows_of_several_jobs() -> None:
    jobs = {name: sound(*range(start, start + 10)) for name, start in (("a", 0), ("b", 100))}
    branch = FakeBranch(jobs)
    tasks = [task(segment("a", count=10)), task(segment("b", first=100, count=10))]
    list(SegmentHandler(branch, batch=8)(tasks))
    assert [len(b) for b in branch.batches] == [1, 2, 4, 8, 5]
    assert any(max(b) >= 100 > min(b) for b in branch.batches)


def test_a_window_with_several_faces_counts_as_several_inputs() -> None:
    branch = FakeBranch({"job": sound(*range(8))}, weight=3)
    list(SegmentHandler(branch, batch=6)([task(segment(count=8))]))
    assert max(len(b) for b in branch.batches) == 2


def test_the_first_record_does_not_wait_for_the_rest_of_the_segment() -> None:
    asked: list[int] = []

    def endless() -> Iterator[Window[int]]:
        for index in range(1000):
            asked.append(index)
            yield Window(index, payload=index)

    branch = FakeBranch({"job": endless()})
    steps = SegmentHandler(branch, batch=4)([task(segment(count=1000))])
    next(iter(steps))
    steps.close()  # type: ignore[attr-defined]
    assert len(asked) < 20


def test_giving_up_early_closes_what_is_open() -> None:
    branch = FakeBranch({"a": sound(*range(50)), "b": sound(*range(50))})
    steps = SegmentHandler(branch, batch=2)([task(segment("a", count=50)), task(segment("b", count=50))])
    next(iter(steps))
    steps.close()  # type: ignore[attr-defined]
    assert branch.open == 0


OUTCOMES = st.one_of(
    st.just("ok"), st.sampled_from(["no_speech", "past_end", "decode_failed"]),
    st.sampled_from([BadMedia("decoder_timeout"), BadMedia("media_missing")]),
)


@given(st.lists(st.lists(OUTCOMES, max_size=8), min_size=1, max_size=4), st.integers(1, 5), st.integers(1, 3))
def test_whatever_decoding_gives_every_window_has_exactly_one_record(
    clips: list[list[str | BadMedia]], batch: int, open_at_once: int
) -> None:
    media = {
        str(job): [
            o if isinstance(o, BadMedia) else Window(i, payload=i) if o == "ok" else Window(i, reason=o)
            for i, o in enumerate(clip)
        ]
        for job, clip in enumerate(clips)
    }
    tasks = [task(segment(str(job), count=6)) for job in range(len(clips))]
    steps = list(SegmentHandler(FakeBranch(media), batch=batch, open_at_once=open_at_once)(tasks))
    for job in range(len(clips)):
        assert sorted(records(steps, job)) == list(range(6))
    assert sorted(finished(steps)) == list(range(len(clips)))
