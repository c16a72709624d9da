"""Whether the fake seconds are found: AP and AR over proposed intervals, as LAV-DF and ActivityNet score.

AP at an overlap t (Caba Heilbron et al. 2015): proposals of all files by falling score, each matched
to the file's free interval that it overlaps most, if by at least t (intersection over union); area
under precision made monotone. AR at n: mean over overlaps .5, .55, ... .95 of the share of intervals
that the file's n best proposals find (Cai et al. 2022).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics.bootstrap import RESAMPLES, Estimate, estimates

Span = tuple[float, float]
OVERLAPS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
AP_AT = (0.5, 0.75, 0.95)
AR_AT = (100, 50, 20, 10)


@dataclass(frozen=True)
class Proposal:
    """Seconds [start, end) said to be fake, and how surely."""

    start: float
    end: float
    score: float


@dataclass(frozen=True)
class Localised:
    """One file: what is fake in it, in seconds, and what was proposed. Real files count: they have none."""

    truth: tuple[Span, ...]
    proposals: tuple[Proposal, ...]


def overlap(a: Span, b: Span) -> float:
    """Intersection over union of two intervals; 0 for empty ones."""
    shared = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    union = (a[1] - a[0]) + (b[1] - b[0]) - shared
    return shared / union if union > 0 else 0.0


def matches(file: Localised, least: float) -> list[tuple[float, bool]]:
    """(score, whether it found an interval) of the file's proposals by falling score."""
    free, found = list(file.truth), []
    for proposal in sorted(file.proposals, key=lambda p: -p.score):
        span = (proposal.start, proposal.end)
        best = max(free, key=lambda truth: overlap(span, truth), default=None)
        hit = best is not None and overlap(span, best) >= least
        if best is not None and hit:
            free.remove(best)
        found.append((proposal.score, hit))
    return found


def average_precision_at(
    files: Sequence[Localised], least: float, weights: NDArray[Any] | None = None
) -> float:
    """AP over all files at an overlap of at least `least`; weights (files,). NaN with no interval to find."""
    return _average_precision(*_table(files, least), weights)


def average_recall_at(files: Sequence[Localised], most: int, weights: NDArray[Any] | None = None) -> float:
    """AR with at most `most` proposals a file; weights (files,). NaN with no interval to find."""
    return _average_recall(*_recalled(files, most), weights)


def localisation(
    files: Sequence[Localised],
    clusters: Sequence[Any] | None = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> dict[str, Estimate]:
    """AP@.5, .75, .95 and AR@100, 50, 20, 10 with 95 % intervals over files, or clusters of them."""
    metrics = {f"ap@{least}": partial(_average_precision, *_table(files, least)) for least in AP_AT}
    metrics |= {f"ar@{most}": partial(_average_recall, *_recalled(files, most)) for most in AR_AT}
    return estimates(metrics, len(files), clusters, seed=seed, resamples=resamples)


_Column = NDArray[Any]


def _table(files: Sequence[Localised], least: float) -> tuple[_Column, _Column, _Column, _Column]:
    """All proposals by falling score: scores, hits and file numbers (P,); intervals to find (files,)."""
    rows = [(score, hit, number) for number, file in enumerate(files) for score, hit in matches(file, least)]
    rows.sort(key=lambda row: -row[0])
    scores, hits, numbers = (np.array([row[column] for row in rows]) for column in range(3))
    return (
        scores,
        hits.astype(bool),
        numbers.astype(int),
        np.array([len(file.truth) for file in files], float),
    )


def _average_precision(
    scores: _Column, hits: _Column, numbers: _Column, wanted: _Column, weights: NDArray[Any] | None
) -> float:
    heavy = np.ones(len(wanted)) if weights is None else np.asarray(weights, float)
    total = float((heavy * wanted).sum())
    if total <= 0:
        return float("nan")
    own = heavy[numbers]
    last = np.append(scores[1:] != scores[:-1], True)[: len(scores)]  # equal scores count together
    found, tried = np.cumsum(own * hits)[last], np.cumsum(own)[last]
    precision = found / np.maximum(tried, np.finfo(float).tiny)
    ceiling = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(found / total, prepend=0.0) * ceiling))


def _recalled(files: Sequence[Localised], most: int) -> tuple[_Column, _Column]:
    """Mean number of intervals found over the overlaps, and number to find; each (files,)."""
    found = [
        float(np.mean([sum(hit for _, hit in matches(file, least)[:most]) for least in OVERLAPS]))
        for file in files
    ]
    return np.array(found), np.array([len(file.truth) for file in files], float)


def _average_recall(found: _Column, wanted: _Column, weights: NDArray[Any] | None) -> float:
    heavy = np.ones(len(wanted)) if weights is None else np.asarray(weights, float)
    total = float((heavy * wanted).sum())
    return float((heavy * found).sum()) / total if total > 0 else float("nan")
