"""How well scores put fake above real. Every metric takes weights, so that a bootstrap is a weighting.

`fake` is bool (N,), `scores` float (N,) with higher meaning more fake, `weights` float (N,) or None
for ones: a weight of 2 counts an item twice. NaN where a class has no weight. The usual definitions
(Fawcett 2006), ties counted half in the area.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Metric(Protocol):
    """fake, scores and weights to one number."""

    def __call__(
        self, fake: NDArray[Any], scores: NDArray[Any], weights: NDArray[Any] | None = None, /
    ) -> float: ...


def roc(
    fake: NDArray[Any], scores: NDArray[Any], weights: NDArray[Any] | None = None
) -> tuple[Floats, Floats, Floats]:
    """(false positive rate, true positive rate, threshold), each (K + 1,), from (0, 0) to (1, 1).

    Point k calls fake what scores at least threshold k; the first threshold is infinite. Raises
    `ValueError` for NaN scores.
    """
    truth, values = np.asarray(fake, bool), np.asarray(scores, float)
    if np.isnan(values).any():
        raise ValueError("a score is NaN: leave out files without one")
    order = np.argsort(-values, kind="stable")
    heavy = np.ones(len(values)) if weights is None else np.asarray(weights, float)[order]
    truth, values = truth[order], values[order]
    last = np.flatnonzero(np.append(values[1:] != values[:-1], True)) if len(values) else np.empty(0, int)
    hits, alarms = np.cumsum(heavy * truth)[last], np.cumsum(heavy * ~truth)[last]
    with np.errstate(divide="ignore", invalid="ignore"):
        tpr = np.concatenate([[0.0], hits]) / (hits[-1] if len(hits) else 0.0)
        fpr = np.concatenate([[0.0], alarms]) / (alarms[-1] if len(alarms) else 0.0)
    return fpr, tpr, np.concatenate([[np.inf], values[last]])


def auc(fake: NDArray[Any], scores: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
    """Area under the ROC: the chance that a fake scores above a real, ties half."""
    fpr, tpr, _ = roc(fake, scores, weights)
    return float(np.trapezoid(tpr, fpr)) if _defined(fpr, tpr) else float("nan")


def eer(fake: NDArray[Any], scores: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
    """Equal error rate: where the ROC's straight pieces cross false positives = false negatives."""
    fpr, tpr, _ = roc(fake, scores, weights)
    if not _defined(fpr, tpr):
        return float("nan")
    gap = fpr + tpr - 1  # grows from -1 to 1
    k = int(np.argmax(gap >= 0))
    part = -gap[k - 1] / (gap[k] - gap[k - 1])
    return float(fpr[k - 1] + part * (fpr[k] - fpr[k - 1]))


def average_precision(fake: NDArray[Any], scores: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
    """Mean over the fakes of the precision at their score; depends on how many reals there are."""
    truth, values = np.asarray(fake, bool), np.asarray(scores, float)
    heavy = np.ones(len(values)) if weights is None else np.asarray(weights, float)
    fpr, tpr, _ = roc(truth, values, heavy)
    hits, alarms = tpr * heavy[truth].sum(), fpr * heavy[~truth].sum()
    if not _defined(fpr, tpr):
        return float("nan")
    precision = hits[1:] / np.maximum(hits[1:] + alarms[1:], np.finfo(float).tiny)
    return float(np.sum(np.diff(tpr) * precision))


def tpr_at_fpr(limit: float) -> Metric:
    """The metric "share of fakes found while at most `limit` of the reals are called fake", a step."""

    def found(fake: NDArray[Any], scores: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
        fpr, tpr, _ = roc(fake, scores, weights)
        return float(tpr[fpr <= limit + 1e-12].max()) if _defined(fpr, tpr) else float("nan")

    return found


def _defined(fpr: Floats, tpr: Floats) -> bool:
    return bool(np.isfinite(fpr[-1]) and np.isfinite(tpr[-1]))


tpr_at_1 = tpr_at_fpr(0.01)
tpr_at_5 = tpr_at_fpr(0.05)
