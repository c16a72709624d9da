"""Faust commits up to what it was told; it must never be told of a record before its predecessors."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.fusion.acks import Acks

PLACE = ("topic", 3)


@given(st.integers(0, 5), st.integers(0, 20), st.randoms(use_true_random=False))
def test_any_order_of_finishing_is_acknowledged_in_order(start: int, count: int, rnd: Random) -> None:
    offsets = list(range(start, start + count)) * 2
    rnd.shuffle(offsets)
    acks: Acks[int] = Acks({PLACE: start})
    told = [event for offset in offsets for event in acks.finish(PLACE, offset, offset)]
    assert told == list(range(start, start + count))
    assert acks.stalled_s() == 0


@given(st.sets(st.integers(0, 20)), st.integers(0, 20))
def test_nothing_after_a_record_that_did_not_come_is_acknowledged(finished: set[int], missing: int) -> None:
    acks: Acks[int] = Acks({PLACE: 0})
    told = [e for offset in finished - {missing} for e in acks.finish(PLACE, offset, offset)]
    assert all(event < missing for event in told)


def test_what_came_before_the_start_or_from_elsewhere_is_not_acknowledged() -> None:
    acks: Acks[str] = Acks({PLACE: 7})
    assert acks.finish(PLACE, 6, "before") == []
    assert acks.finish(("topic", 4), 0, "elsewhere") == []


def test_it_tells_how_long_a_gap_has_lasted() -> None:
    now = [0.0]
    acks: Acks[str] = Acks({PLACE: 0}, clock=lambda: now[0])
    acks.finish(PLACE, 2, "two")
    now[0] = 5.0
    acks.finish(PLACE, 3, "three")
    assert acks.stalled_s() == 5.0
    assert acks.finish(PLACE, 0, "zero") == ["zero"]
    now[0] = 6.0
    assert acks.stalled_s() == 1.0
    assert acks.finish(PLACE, 1, "one") == ["one", "two", "three"]
    assert acks.stalled_s() == 0
