"""The queue between polling and working."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from shared.contracts.records import Record
from shared.messaging.intake import Intake
from shared.messaging.lease import Entry, Lease

LONG_S = 60.0


def entry(name: str, lease: Lease | None = None, *, alone: bool = False) -> Entry:
    return Entry(Record("in", 0, 0, name.encode(), b""), lease or Lease("in", 0), alone=alone)


def names(batch: list[Entry] | None) -> list[str]:
    return [(e.record.key or b"").decode() for e in batch or []]


def test_batches_are_at_most_max_batch_in_order() -> None:
    intake = Intake(2, LONG_S)
    for name in "abc":
        intake.put(entry(name))
    assert names(intake.take()) == ["a", "b"]


def test_a_batch_waits_a_moment_for_company_from_other_partitions() -> None:
    intake = Intake(2, LONG_S)
    with ThreadPoolExecutor() as pool:
        batch = pool.submit(intake.take)
        intake.put(entry("a", Lease("in", 0)))
        intake.put(entry("b", Lease("in", 1)))
        assert names(batch.result(LONG_S)) == ["a", "b"]


def test_a_batch_without_company_goes_after_the_linger() -> None:
    intake = Intake(8, 0.01)
    intake.put(entry("a"))
    assert names(intake.take()) == ["a"]


def test_two_takers_do_not_split_a_batch() -> None:
    intake = Intake(2, LONG_S)
    with ThreadPoolExecutor() as pool:
        takers = [pool.submit(intake.take) for _ in range(2)]
        for name in "abcd":
            intake.put(entry(name))
        assert sorted(names(t.result(LONG_S)) for t in takers) == [["a", "b"], ["c", "d"]]


def test_a_suspect_is_taken_alone() -> None:
    intake = Intake(8, 0.01)
    for item in (entry("a"), entry("suspect", alone=True), entry("b")):
        intake.put(item)
    assert [names(intake.take()) for _ in range(3)] == [["a"], ["suspect"], ["b"]]


def test_a_delayed_entry_comes_when_it_is_due() -> None:
    intake = Intake(1, 0)
    started = time.monotonic()
    intake.put(entry("later"), 0.1)
    intake.put(entry("now"))
    assert names(intake.take()) == ["now"]
    assert names(intake.take()) == ["later"]
    assert time.monotonic() - started >= 0.1


def test_a_suspect_that_falls_due_while_a_batch_is_collected_stays_out_of_it() -> None:
    intake = Intake(8, 0.2)
    intake.put(entry("suspect", alone=True), 0.05)
    intake.put(entry("a"))
    assert names(intake.take()) == ["a"]
    assert names(intake.take()) == ["suspect"]


def test_dropped_partitions_leave_nothing_behind() -> None:
    intake = Intake(8, 0.01)
    gone, kept = Lease("in", 0), Lease("in", 1)
    intake.put(entry("a", gone))
    intake.put(entry("b", gone), 0.01)
    intake.put(entry("c", kept))
    intake.drop([gone])
    assert names(intake.take()) == ["c"]


def test_revoked_entries_are_not_given_out() -> None:
    intake = Intake(1, 0)
    gone = Lease("in", 0)
    intake.put(entry("a", gone))
    intake.put(entry("b"))
    gone.revoke()
    assert names(intake.take()) == ["b"]


def test_closing_ends_waiting_takers_and_drops_the_rest() -> None:
    intake = Intake(8, LONG_S)
    with ThreadPoolExecutor() as pool:
        takers = [pool.submit(intake.take) for _ in range(3)]
        threading.Timer(0.05, intake.close).start()
        assert [t.result(LONG_S) for t in takers] == [None] * 3
    intake.put(entry("a"))
    assert intake.take() is None
