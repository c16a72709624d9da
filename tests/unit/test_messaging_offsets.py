"""Only what is finished from the start on may be committed, whatever the order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messaging.lease import Lease
from shared.messaging.offsets import OffsetTracker

Offsets = list[int]


@st.composite
def taken_and_finished(draw: st.DrawFn) -> tuple[Offsets, Offsets]:
    """Rising offsets with gaps, and some of them in the order in which they finish."""
    offsets = sorted(draw(st.sets(st.integers(0, 200), min_size=1, max_size=40)))
    order = draw(st.permutations(offsets))
    return offsets, order[: draw(st.integers(0, len(order)))]


@given(taken_and_finished())
def test_position_is_behind_the_first_unfinished(case: tuple[Offsets, Offsets]) -> None:
    offsets, finished = case
    tracker = OffsetTracker()
    for offset in offsets:
        tracker.take(offset)
    for count, offset in enumerate(finished, 1):
        tracker.finish(offset)
        done = set(finished[:count])
        unfinished = [o for o in offsets if o not in done]
        below = [o for o in offsets if not unfinished or o < unfinished[0]]
        assert tracker.position == (below[-1] + 1 if below else None)
        assert tracker.unfinished == len(unfinished)
        assert tracker.pending == len(offsets) - len(below)
        assert tracker.low == (unfinished[0] if unfinished else tracker.position)


@given(taken_and_finished())
def test_position_never_falls_while_taking_and_finishing_mix(case: tuple[Offsets, Offsets]) -> None:
    offsets, finished = case
    tracker, seen = OffsetTracker(), -1
    waiting = list(finished)
    for offset in offsets:
        tracker.take(offset)
        for ready in [o for o in waiting if o <= offset]:
            waiting.remove(ready)
            tracker.finish(ready)
            tracker.finish(ready)
            position = tracker.position
            assert position is None or position >= seen
            seen = position if position is not None else seen


@given(taken_and_finished())
def test_finishing_twice_is_finishing_once(case: tuple[Offsets, Offsets]) -> None:
    offsets, finished = case
    once, twice = OffsetTracker(), OffsetTracker()
    for offset in offsets:
        once.take(offset)
        twice.take(offset)
    for offset in finished:
        once.finish(offset)
        twice.finish(offset)
        twice.finish(offset)
    assert (once.position, once.pending, once.unfinished) == (twice.position, twice.pending, twice.unfinished)


def test_offsets_must_rise() -> None:
    tracker = OffsetTracker()
    tracker.take(5)
    tracker.finish(5)
    with pytest.raises(ValueError, match="5"):
        tracker.take(5)


def test_nothing_taken_means_nothing_to_commit() -> None:
    tracker = OffsetTracker()
    tracker.finish(3)
    assert tracker.position is None
    assert tracker.low is None


def test_a_lease_does_not_take_an_offset_again() -> None:
    lease = Lease("in", 0)
    assert [lease.take(offset) for offset in (4, 7, 7, 2)] == [True, True, False, False]
    assert lease.unfinished == 2


def test_a_revoked_lease_stays_where_it_was() -> None:
    lease = Lease("in", 0)
    for offset in (0, 1):
        lease.take(offset)
    lease.finish(0)
    lease.revoke()
    lease.finish(1)
    assert lease.position == 1
