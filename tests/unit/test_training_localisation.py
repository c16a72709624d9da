import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.metrics.localisation import (
    OVERLAPS,
    Localised,
    Proposal,
    average_precision_at,
    average_recall_at,
    localisation,
    matches,
    overlap,
)

whole = st.integers(0, 12)
spans = st.tuples(whole, st.integers(1, 6)).map(lambda at: (float(at[0]), float(at[0] + at[1])))
proposals = st.tuples(spans, st.integers(0, 5)).map(lambda p: Proposal(*p[0], p[1] / 5))
files = st.builds(
    Localised, st.lists(spans, max_size=3).map(tuple), st.lists(proposals, max_size=4).map(tuple)
)


def seconds(a: tuple[float, float]) -> set[int]:
    return set(range(int(a[0]), int(a[1])))


@settings(max_examples=40)
@given(spans, spans)
def test_overlap_is_shared_seconds_over_all_seconds(a: tuple[float, float], b: tuple[float, float]) -> None:
    both, either = seconds(a) & seconds(b), seconds(a) | seconds(b)
    assert overlap(a, b) == pytest.approx(len(both) / len(either))


@settings(max_examples=40)
@given(st.lists(files, min_size=1, max_size=4), st.sampled_from([0.3, 0.5, 0.95]))
def test_average_precision_is_the_area_under_the_monotone_curve(data: list[Localised], least: float) -> None:
    """Reference: at each score, recall and precision of all that scores as much; then the ceiling."""
    wanted = sum(len(file.truth) for file in data)
    found = [pair for file in data for pair in matches(file, least)]
    curve = []
    for score in sorted({score for score, _ in found}, reverse=True):
        hits = [hit for other, hit in found if other >= score]
        curve.append((sum(hits) / max(wanted, 1), sum(hits) / len(hits)))
    area, before = 0.0, 0.0
    for k, (recall, _) in enumerate(curve):
        area += (recall - before) * max(precision for _, precision in curve[k:])
        before = recall
    value = average_precision_at(data, least)
    assert math.isnan(value) if wanted == 0 else value == pytest.approx(area)


@settings(max_examples=40)
@given(files, st.sampled_from([0.3, 0.5, 0.95]))
def test_a_match_takes_each_interval_once_and_overlaps_enough(file: Localised, least: float) -> None:
    found = matches(file, least)
    assert [score for score, _ in found] == sorted((p.score for p in file.proposals), reverse=True)
    assert sum(hit for _, hit in found) <= len(file.truth)
    possible = [any(overlap((p.start, p.end), span) >= least for span in file.truth) for p in file.proposals]
    assert sum(hit for _, hit in found) <= sum(possible)
    assert any(hit for _, hit in found) == any(possible)


@settings(max_examples=40)
@given(st.lists(files, min_size=1, max_size=4), st.sampled_from([1, 2, 10]), st.data())
def test_weights_count_files_as_copies(data: list[Localised], most: int, drawn: st.DataObject) -> None:
    counts = drawn.draw(st.lists(st.integers(0, 2), min_size=len(data), max_size=len(data)))
    copies = [file for file, count in zip(data, counts, strict=True) for _ in range(count)]
    weights = np.array(counts, float)
    for value, copied in (
        (average_precision_at(data, 0.5, weights), average_precision_at(copies, 0.5)),
        (average_recall_at(data, most, weights), average_recall_at(copies, most)),
    ):
        assert value == pytest.approx(copied, nan_ok=True)


@settings(max_examples=40)
@given(st.lists(files, min_size=1, max_size=4))
def test_recall_grows_with_the_number_of_proposals(data: list[Localised]) -> None:
    values = [average_recall_at(data, most) for most in (0, 1, 2, 10)]
    assert values == sorted(values) or all(map(math.isnan, values))
    assert values[0] in (0.0, pytest.approx(math.nan, nan_ok=True))


def test_perfect_proposals_find_everything_and_nothing_finds_nothing() -> None:
    truth = ((1.0, 2.0), (5.0, 6.5))
    perfect = Localised(truth, tuple(Proposal(*span, 0.9) for span in truth))
    real = Localised((), ())
    found = localisation([perfect, real], ["a", "b"], resamples=50)
    assert all(number.value == 1.0 for number in found.values())
    assert list(found) == ["ap@0.5", "ap@0.75", "ap@0.95", "ar@100", "ar@50", "ar@20", "ar@10"]
    assert average_precision_at([Localised(truth, ())], 0.5) == 0.0
    assert average_recall_at([Localised(truth, ())], 10) == 0.0


def test_a_proposal_on_a_real_file_costs_precision() -> None:
    hit = Localised(((1.0, 2.0),), (Proposal(1.0, 2.0, 0.5),))
    assert average_precision_at([hit, Localised((), (Proposal(0.0, 1.0, 0.9),))], 0.5) == 0.5
    assert average_precision_at([hit, Localised((), (Proposal(0.0, 1.0, 0.1),))], 0.5) == 1.0


def test_recall_averages_over_overlaps() -> None:
    file = Localised(((0.0, 10.0),), (Proposal(0.0, 7.2, 1.0),))
    assert average_recall_at([file], 10) == pytest.approx(sum(least <= 0.72 for least in OVERLAPS) / 10)
