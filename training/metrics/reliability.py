"""Whether p_fake means what it says: of the files given 0.8, are 8 in 10 fake?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 15


@dataclass(frozen=True)
class Bin:
    """One bar of the reliability diagram: scores in [low, high), the last one including 1."""

    low: float
    high: float
    weight: float  # files, or their weights
    p_fake: float  # mean; NaN in an empty bin
    fakes: float  # share of fakes; NaN in an empty bin


def bins(
    fake: NDArray[Any], p_fake: NDArray[Any], weights: NDArray[Any] | None = None, count: int = BINS
) -> list[Bin]:
    """`count` bins of equal width for fake bool (N,) and p_fake float (N,) in [0, 1]."""
    scores = np.asarray(p_fake, float)
    if scores.size and not ((scores >= 0) & (scores <= 1)).all():
        raise ValueError("a probability is not between 0 and 1")
    heavy = np.ones(len(scores)) if weights is None else np.asarray(weights, float)
    place = np.minimum((scores * count).astype(int), count - 1)
    total = np.bincount(place, heavy, count)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.bincount(place, heavy * scores, count) / total
        fakes = np.bincount(place, heavy * np.asarray(fake, float), count) / total
    edges = np.linspace(0, 1, count + 1)
    return [Bin(*map(float, row)) for row in zip(edges, edges[1:], total, means, fakes, strict=False)]


def ece(fake: NDArray[Any], p_fake: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
    """Expected calibration error over 15 bins of equal width (Guo et al. 2017); NaN without files."""
    filled = [b for b in bins(fake, p_fake, weights) if b.weight > 0]
    total = sum(b.weight for b in filled)
    return sum(b.weight * abs(b.p_fake - b.fakes) for b in filled) / total if total else float("nan")


def brier(fake: NDArray[Any], p_fake: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
    """Mean squared error of p_fake: calibration and sharpness in one number. NaN without files."""
    heavy = np.ones(len(np.asarray(fake))) if weights is None else np.asarray(weights, float)
    if not heavy.sum():
        return float("nan")
    return float(np.average((np.asarray(p_fake, float) - np.asarray(fake, float)) ** 2, weights=heavy))
