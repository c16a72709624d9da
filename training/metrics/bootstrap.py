"""95 % intervals by resampling whole clusters, since clips of one speaker or source are not independent."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weighted = Callable[[NDArray[np.float64]], float]  # weights (N,) -> value
RESAMPLES = 1000
_TAILS = (2.5, 97.5)


@dataclass(frozen=True)
class Estimate:
    """A value and its percentile interval (Efron and Tibshirani 1993); NaN where it is not defined.

    `resamples` are those in which it was defined. With fewer than about 20 clusters the interval is
    too narrow rather than too wide.
    """

    value: float
    low: float
    high: float
    items: int
    clusters: int
    resamples: int

    def as_json(self) -> dict[str, float | int | None]:
        """Rounded to 4 decimals, with null for NaN, which JSON does not know."""
        parts = {"value": self.value, "low": self.low, "high": self.high}
        numbers: dict[str, float | int | None] = {
            name: round(value, 4) if isfinite(value) else None for name, value in parts.items()
        }
        return numbers | {"items": self.items, "clusters": self.clusters}

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]" if isfinite(self.value) else "-"


def estimates(
    metrics: Mapping[str, Weighted],
    items: int,
    clusters: Sequence[Any] | NDArray[Any] | None = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> dict[str, Estimate]:
    """Each metric with its interval, all of them on the same resamples.

    `metrics` turn weights float (items,) into a value. `clusters`, one label an item, are drawn with
    replacement and bring all their items; without them every item is its own.
    """
    groups, count = _numbered(items, clusters)
    values = {name: metric(np.ones(items)) for name, metric in metrics.items()}
    drawn: dict[str, list[float]] = {name: [] for name in metrics}
    for weights in _resampled(groups, count, seed, resamples):
        for name, metric in metrics.items():
            drawn[name].append(metric(weights))
    return {name: _estimate(values[name], drawn[name], items, count) for name in metrics}


def paired_difference(
    metric: Callable[[NDArray[Any], NDArray[Any], NDArray[Any] | None], float],
    fake: NDArray[Any],
    scores: NDArray[Any],
    others: NDArray[Any],
    clusters: Sequence[Any] | NDArray[Any] | None = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Estimate:
    """metric(scores) - metric(others) on the same files: the value of a change, with its interval.

    `scores` and `others` are float (N,), or (S, N) for S seeds trained in pairs; then the value is the
    mean over seeds, and seeds are drawn with replacement together with the clusters.
    """
    ours, theirs = np.atleast_2d(np.asarray(scores, float)), np.atleast_2d(np.asarray(others, float))
    if ours.shape != theirs.shape or ours.shape[1] != len(fake):
        raise ValueError(
            f"scores of shapes {ours.shape} and {theirs.shape} for {len(fake)} files are no pairs"
        )
    groups, count = _numbered(ours.shape[1], clusters)

    def difference(weights: NDArray[np.float64], rows: NDArray[np.intp]) -> float:
        gaps = {int(r): metric(fake, ours[r], weights) - metric(fake, theirs[r], weights) for r in set(rows)}
        return float(np.mean([gaps[int(r)] for r in rows]))

    draw = np.random.default_rng(seed + 1)
    seeds = np.arange(len(ours))
    drawn = [
        difference(weights, draw.choice(seeds, len(seeds)))
        for weights in _resampled(groups, count, seed, resamples)
    ]
    return _estimate(difference(np.ones(ours.shape[1]), seeds), drawn, ours.shape[1], count)


def _numbered(items: int, clusters: Sequence[Any] | NDArray[Any] | None) -> tuple[NDArray[np.intp], int]:
    if clusters is None:
        return np.arange(items), items
    if len(clusters) != items:
        raise ValueError(f"{len(clusters)} cluster labels for {items} items")
    names = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
    return np.array([names[name] for name in clusters], np.intp), len(names)


def _resampled(
    groups: NDArray[np.intp], count: int, seed: int, resamples: int
) -> Iterator[NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    for _ in range(resamples if count else 0):
        times = np.bincount(random.integers(0, count, count), minlength=count)
        yield times[groups].astype(float)


def _estimate(value: float, drawn: list[float], items: int, clusters: int) -> Estimate:
    defined = np.array([number for number in drawn if isfinite(number)])
    low, high = np.percentile(defined, _TAILS) if len(defined) and isfinite(value) else (np.nan, np.nan)
    return Estimate(float(value), float(low), float(high), items, clusters, len(defined))
