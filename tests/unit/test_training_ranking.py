import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.metrics.ranking import Bools, Floats, Metric, auc, average_precision, eer, roc, tpr_at_fpr
from training.metrics.reliability import bins, brier, ece

Data = tuple[Bools, Floats]
RANKING: tuple[Metric, ...] = (
    auc,
    eer,
    average_precision,
    tpr_at_fpr(0.01),
    tpr_at_fpr(0.05),
    tpr_at_fpr(0.5),
)


@st.composite
def labelled(draw: st.DrawFn) -> Data:
    """Both classes present, scores on a coarse grid so that ties are common."""
    rows = draw(st.lists(st.tuples(st.booleans(), st.integers(0, 8)), max_size=14))
    rows += [(True, draw(st.integers(0, 8))), (False, draw(st.integers(0, 8)))]
    return np.array([fake for fake, _ in rows]), np.array([score / 8 for _, score in rows])


def rates(fake: Bools, scores: Floats, threshold: float) -> tuple[Fraction, Fraction]:
    """(false positive, true positive) rate of calling fake what scores at least the threshold."""
    called = scores >= threshold
    return (
        Fraction(int((called & ~fake).sum()), int((~fake).sum())),
        Fraction(int((called & fake).sum()), int(fake.sum())),
    )


def points(fake: Bools, scores: Floats) -> list[tuple[Fraction, Fraction]]:
    return [rates(fake, scores, t) for t in (math.inf, *sorted(set(scores.tolist()), reverse=True))]


@settings(max_examples=40)
@given(labelled())
def test_auc_is_the_share_of_pairs_in_order(data: Data) -> None:
    fake, scores = data
    pairs = [(f, r) for f in scores[fake] for r in scores[~fake]]
    assert auc(fake, scores) == pytest.approx(sum((f > r) + 0.5 * (f == r) for f, r in pairs) / len(pairs))


@settings(max_examples=40)
@given(labelled())
def test_average_precision_is_precision_averaged_over_the_fakes(data: Data) -> None:
    fake, scores = data
    precisions = [(fake & (scores >= s)).sum() / (scores >= s).sum() for s in scores[fake]]
    assert average_precision(fake, scores) == pytest.approx(np.mean(precisions))


@settings(max_examples=40)
@given(labelled(), st.sampled_from([0.0, 0.01, 0.05, 0.25, 0.5, 1.0]))
def test_tpr_at_a_false_positive_rate_is_the_best_allowed_threshold(data: Data, limit: float) -> None:
    best = max(tpr for fpr, tpr in points(*data) if fpr <= limit)
    assert tpr_at_fpr(limit)(*data) == pytest.approx(float(best))


@settings(max_examples=40)
@given(labelled())
def test_eer_lies_on_the_roc_where_both_errors_are_equal(data: Data) -> None:
    rate = eer(*data)
    curve = points(*data)
    crossings = []
    for (x0, y0), (x1, y1) in zip(curve, curve[1:], strict=False):
        if x0 + y0 <= 1 <= x1 + y1:
            part = (1 - x0 - y0) / (x1 + y1 - x0 - y0)
            crossings.append(float(x0 + part * (x1 - x0)))
    assert any(rate == pytest.approx(crossing) for crossing in crossings)


@settings(max_examples=40)
@given(labelled(), st.sampled_from(RANKING), st.data())
def test_a_weight_of_n_is_the_same_as_n_copies(data: Data, metric: Metric, drawn: st.DataObject) -> None:
    fake, scores = data
    counts = np.array(drawn.draw(st.lists(st.integers(0, 3), min_size=len(fake), max_size=len(fake))))
    copied, copies = np.repeat(fake, counts), np.repeat(scores, counts)
    result = metric(fake, scores, counts.astype(float))
    if copied.any() and not copied.all():
        assert result == pytest.approx(metric(copied, copies, None))
    else:
        assert math.isnan(result)


@settings(max_examples=40)
@given(labelled(), st.sampled_from(RANKING), st.randoms(use_true_random=False))
def test_neither_order_nor_scale_of_scores_matters(data: Data, metric: Metric, random: object) -> None:
    fake, scores = data
    order = np.array(sorted(range(len(fake)), key=lambda _: random.random()))  # type: ignore[attr-defined]
    assert metric(fake[order], np.exp(3 * scores[order]), None) == pytest.approx(metric(fake, scores, None))


@settings(max_examples=40)
@given(labelled())
def test_swapping_the_classes_and_the_sign_changes_neither_auc_nor_eer(data: Data) -> None:
    fake, scores = data
    assert auc(~fake, -scores) == pytest.approx(auc(fake, scores))
    assert eer(~fake, -scores) == pytest.approx(eer(fake, scores))
    assert auc(fake, -scores) == pytest.approx(1 - auc(fake, scores))


def test_a_perfect_and_a_useless_detector() -> None:
    fake = np.array([True, True, False, False])
    assert (auc(fake, np.array([4.0, 3, 2, 1])), eer(fake, np.array([4.0, 3, 2, 1]))) == (1.0, 0.0)
    assert (auc(fake, np.zeros(4)), eer(fake, np.zeros(4))) == (0.5, 0.5)
    assert average_precision(fake, np.zeros(4)) == 0.5


@pytest.mark.parametrize("metric", RANKING)
@pytest.mark.parametrize("fake", [[True, True], [False, False], []])
def test_one_class_alone_has_no_value(metric: Metric, fake: list[bool]) -> None:
    assert math.isnan(metric(np.array(fake, bool), np.arange(len(fake), dtype=float), None))


def test_a_missing_score_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        roc(np.array([True, False]), np.array([0.5, math.nan]))


@settings(max_examples=40)
@given(labelled())
def test_ece_is_the_weighted_gap_between_scores_and_fakes(data: Data) -> None:
    fake, scores = data
    gap = 0.0
    for low in range(15):
        inside = (scores * 15 >= low) & ((scores * 15 < low + 1) | (low == 14))
        gap += abs(scores[inside].sum() - fake[inside].sum()) / len(scores)
    assert ece(fake, scores) == pytest.approx(gap)
    assert sum(bar.weight for bar in bins(fake, scores)) == len(fake)
    assert 0 <= ece(fake, scores) <= 1


@settings(max_examples=40)
@given(labelled(), st.data())
def test_calibration_counts_weights_as_copies(data: Data, drawn: st.DataObject) -> None:
    fake, scores = data
    counts = np.array(drawn.draw(st.lists(st.integers(1, 3), min_size=len(fake), max_size=len(fake))))
    for metric in (ece, brier):
        copied = metric(np.repeat(fake, counts), np.repeat(scores, counts))
        assert metric(fake, scores, counts.astype(float)) == pytest.approx(copied)


def test_reliability_refuses_what_is_no_probability_and_knows_nothing_of_nothing() -> None:
    with pytest.raises(ValueError, match="not between 0 and 1"):
        bins(np.array([True]), np.array([1.5]))
    nothing = np.array([], bool), np.array([])
    assert math.isnan(ece(*nothing))
    assert math.isnan(brier(*nothing))
    assert math.isnan(bins(*nothing)[0].fakes)
