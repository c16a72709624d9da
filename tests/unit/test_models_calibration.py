import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.results import Series
from shared.models.calibration import aggregate, aggregate_modality, logit, sigmoid, top_windows
from shared.models.schema import Calibration, ClipCalibration

probability = st.floats(0, 1)


def series(*p_fake: float | None, width: float = 0.0) -> Series:
    low = tuple(None if p is None else max(0.0, p - width) for p in p_fake)
    high = tuple(None if p is None else min(1.0, p + width) for p in p_fake)
    return Series(p_fake=p_fake, low=low, high=high)


def test_a_clip_is_the_mean_of_its_top_windows() -> None:
    p, interval = aggregate(series(0.1, 0.9, None, 0.7, 0.2, width=0.05), 5.0, Calibration(top_fraction=0.5))
    assert p == pytest.approx(0.8)
    assert interval == pytest.approx((0.75, 0.85))


def test_windows_without_a_score_do_not_count() -> None:
    assert top_windows((None, 0.3, None, 0.9), 0.5) == [3]
    assert aggregate(series(None, None), 2.0, Calibration()) == (None, None)
    assert aggregate_modality((None, None), 2.0, Calibration()) is None


def test_ties_go_to_the_earlier_window() -> None:
    assert top_windows((0.5, 0.5, 0.5, 0.5), 0.5) == [0, 1]


def test_the_first_calibration_that_covers_the_duration_is_used() -> None:
    steps = (ClipCalibration(up_to_s=10, temperature=2.0), ClipCalibration(bias=-1.0))
    calibration = Calibration(top_fraction=1.0, clips=steps)
    short, _ = aggregate(series(0.9), 10.0, calibration)
    long, _ = aggregate(series(0.9), 10.1, calibration)
    assert short == pytest.approx(sigmoid(logit(0.9) / 2))
    assert long == pytest.approx(sigmoid(logit(0.9) - 1))


@given(st.lists(st.tuples(*[probability] * 3), min_size=1, max_size=40), st.floats(0.01, 1))
def test_the_interval_holds_the_score(windows: list[tuple[float, float, float]], fraction: float) -> None:
    ordered = [sorted(window) for window in windows]
    low, p_fake, high = (tuple(column) for column in zip(*ordered, strict=True))
    columns = Series(p_fake=p_fake, low=low, high=high)
    p, interval = aggregate(columns, 3.0, Calibration(top_fraction=fraction))
    assert p is not None
    assert interval is not None
    assert 0 <= interval[0] <= p <= interval[1] <= 1


@given(st.floats(-29, 29))
def test_logit_undoes_sigmoid(value: float) -> None:
    assert logit(sigmoid(value)) == pytest.approx(value, abs=1e-2)


@given(st.floats(allow_nan=False))
def test_sigmoid_is_finite_everywhere(value: float) -> None:
    assert 0 <= sigmoid(value) <= 1
    assert math.isfinite(logit(sigmoid(value)))
