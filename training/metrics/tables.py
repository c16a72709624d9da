"""All metrics at once, and tables a source and a generator."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics.bootstrap import RESAMPLES, Estimate, Weighted, estimates
from training.metrics.ranking import Metric, auc, average_precision, eer, tpr_at_1, tpr_at_5
from training.metrics.reliability import ece

METRICS: dict[str, Metric] = {
    "auc": auc, "eer": eer, "ap": average_precision, "tpr@1%fpr": tpr_at_1, "tpr@5%fpr": tpr_at_5, "ece": ece,
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One line of a table: `reals` says against which real files the fakes were held."""

    name: str
    fake: int
    real: int
    reals: str  # own, all
    numbers: dict[str, Estimate]

    def as_json(self) -> dict[str, Any]:
        counts = {"name": self.name, "fake": self.fake, "real": self.real, "reals": self.reals}
        return counts | {name: number.as_json() for name, number in self.numbers.items()}


def summary(
    fake: NDArray[Any],
    p_fake: NDArray[Any],
    clusters: Sequence[Any] | NDArray[Any] | None = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> dict[str, Estimate]:
    """Every metric of `METRICS` for fake bool (N,) and p_fake float (N,) in [0, 1], with its interval.

    `clusters` (N,) name what is not independent: identities, or sources. Leave files without a score out.
    """
    truth, scores = np.asarray(fake, bool), np.asarray(p_fake, float)

    def bound(metric: Metric) -> Weighted:
        return lambda weights: metric(truth, scores, weights)

    metrics = {name: bound(metric) for name, metric in METRICS.items()}
    return estimates(metrics, len(truth), clusters, seed=seed, resamples=resamples)


def by_source(
    fake: NDArray[Any],
    p_fake: NDArray[Any],
    sources: Sequence[str],
    clusters: Sequence[Any] | None = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> list[Row]:
    """A row for each source: its own fakes against its own reals. What a row lacks is NaN."""
    truth, names = np.asarray(fake, bool), np.asarray(sources, dtype=object)
    return [
        _row(str(name), truth, p_fake, names == name, "own", clusters, seed, resamples)
        for name in sorted(set(sources))
    ]


def by_generator(
    fake: NDArray[Any],
    p_fake: NDArray[Any],
    generators: Sequence[str],
    sources: Sequence[str],
    clusters: Sequence[Any] | None = None,
    *,
    least: int = 5,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> list[Row]:
    """A row for each generator ("" for reals): its fakes against the reals of the same sources.

    Against all reals where there are fewer than `least` of those; then the figure also holds what
    else differs between sources, and `reals` says "all".
    """
    truth, made = np.asarray(fake, bool), np.asarray(generators, dtype=object)
    places = np.asarray(sources, dtype=object)
    rows = []
    for name in sorted(set(generators) - {""}):
        fakes = truth & (made == name)
        own = ~truth & np.isin(places, places[fakes])
        enough = int(own.sum()) >= least
        chosen = fakes | (own if enough else ~truth)
        rows.append(_row(name, truth, p_fake, chosen, "own" if enough else "all", clusters, seed, resamples))
    return rows


def markdown(rows: Sequence[Row], columns: Sequence[str] = ("auc", "eer", "ap", "ece")) -> str:
    """The rows as a Markdown table, for the model card."""
    head = ["name", "fake", "real", "against", *columns]
    lines = [head, ["---"] * len(head)]
    lines += [
        [row.name, str(row.fake), str(row.real), row.reals, *(str(row.numbers[name]) for name in columns)]
        for row in rows
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _row(
    name: str,
    truth: NDArray[np.bool_],
    p_fake: NDArray[Any],
    chosen: NDArray[np.bool_],
    reals: str,
    clusters: Sequence[Any] | None,
    seed: int,
    resamples: int,
) -> Row:
    scores = np.asarray(p_fake, float)[chosen]
    named = None if clusters is None else [clusters[i] for i in np.flatnonzero(chosen).tolist()]
    numbers = summary(truth[chosen], scores, named, seed=seed, resamples=resamples)
    fakes = int(truth[chosen].sum())
    return Row(name, fakes, int(chosen.sum()) - fakes, reals, numbers)
