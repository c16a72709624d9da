"""The account tells lost, repeated and different verdicts apart."""

from tests.chaos.account import settle

EXPECTED = {"a": b"1", "b": b"2", "c": b"3"}


def test_identical_repeats_are_counted_and_allowed() -> None:
    account = settle(EXPECTED, {"a": [b"1", b"1"], "b": [b"2"], "c": [b"3"]}, kills=60, lag=0, seed=7)
    assert (account.duplicate_verdicts, account.different_bytes, account.lost) == (1, 0, 0)
    assert account.good


def test_a_job_without_verdict_is_lost() -> None:
    account = settle(EXPECTED, {"a": [b"1"], "b": [b"2"]}, kills=60, lag=0, seed=7)
    assert account.lost == 1 and not account.good


def test_a_verdict_with_other_bytes_is_the_defect() -> None:
    account = settle(EXPECTED, {"a": [b"1", b"x"], "b": [b"2"], "c": [b"3"]}, kills=60, lag=0, seed=7)
    assert account.different_bytes == 1 and not account.good


def test_lag_left_over_is_no_good_end() -> None:
    observed = {job: [value] for job, value in EXPECTED.items()}
    assert not settle(EXPECTED, observed, kills=60, lag=1, seed=7).good
