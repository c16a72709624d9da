"""From a model's logits to probabilities, and from windows to a clip. Plain arithmetic, no torch."""

import math
from collections.abc import Sequence

from shared.contracts.results import Interval, Probability, Series
from shared.models.schema import Calibration

_LIMIT = 30.0  # logits beyond say nothing more, and keep exp() finite


def sigmoid(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-_LIMIT, min(_LIMIT, logit))))


def logit(p: float) -> float:
    """The inverse of `sigmoid`, finite at 0 and 1."""
    low = sigmoid(-_LIMIT)
    p = max(low, min(1.0 - low, p))
    return math.log(p / (1.0 - p))


def top_windows(scores: Sequence[Probability], fraction: float) -> list[int]:
    """Indices of the highest scores: that fraction of those present, at least one; ties to the earlier."""
    present = [i for i, score in enumerate(scores) if score is not None]
    count = max(1, math.ceil(len(present) * fraction)) if present else 0
    return sorted(present, key=lambda i: (-(scores[i] or 0.0), i))[:count]


def aggregate(
    series: Series, duration_s: float, calibration: Calibration
) -> tuple[Probability, Interval | None]:
    """The clip's p_fake and interval: mean over its top windows, corrected for its duration.

    The windows' errors are taken as wholly dependent, so the interval's ends are the means of the
    same windows' ends: never too narrow for want of independence. (None, None) without any score.
    """
    top = top_windows(series.p_fake, calibration.top_fraction)
    if not top:
        return None, None
    p = _clip(_mean(series.p_fake, top), duration_s, calibration)
    low = _clip(_mean(series.low, top), duration_s, calibration)
    high = _clip(_mean(series.high, top), duration_s, calibration)
    return p, (min(low, p), max(high, p))


def aggregate_modality(
    scores: Sequence[Probability], duration_s: float, calibration: Calibration
) -> Probability:
    """One modality's clip score (`Series.video` or `Series.audio`): mean over its own top windows."""
    top = top_windows(scores, calibration.top_fraction)
    return _mean(scores, top) if top else None


def _mean(values: Sequence[Probability], indices: Sequence[int]) -> float:
    return math.fsum(values[i] or 0.0 for i in indices) / len(indices)


def _clip(p: float, duration_s: float, calibration: Calibration) -> float:
    for step in calibration.clips:
        if step.up_to_s is None or duration_s <= step.up_to_s:
            return sigmoid((logit(p) + step.bias) / step.temperature)
    return p
