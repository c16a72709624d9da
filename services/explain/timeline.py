"""The whole clip in one picture: each second's score with its interval, what each modality said, gaps."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from services.explain.audio_saliency import to_png
from shared.contracts.results import Verdict

# Okabe and Ito's palette, which colour-blind readers can tell apart.
FUSED, VIDEO, AUDIO = "#000000", "#0072B2", "#D55E00"
_MISSING: dict[str, Any] = {"facecolor": "none", "edgecolor": "#BBBBBB", "hatch": "///", "linewidth": 0}


def draw(verdict: Verdict) -> bytes:
    """PNG. One window is one second."""
    series, count = verdict.series, len(verdict.series.p_fake)
    seconds = np.repeat(np.arange(count + 1), 2)[1:-1]  # both edges of each window
    figure = Figure(figsize=(10, 4.2), dpi=100, layout="constrained")
    scores, strips = figure.subplots(2, 1, sharex=True, height_ratios=[5, 1])
    low, high = _steps(series.low), _steps(series.high)
    scores.fill_between(seconds, low, high, color=FUSED, alpha=0.15, linewidth=0)
    for label, values, colour, style, width in (
        ("picture", series.video, VIDEO, "--", 1.4), ("sound", series.audio, AUDIO, "-.", 1.4),
        ("both together", series.p_fake, FUSED, "-", 2.2),
    ):
        scores.plot(seconds, _steps(values), color=colour, linestyle=style, linewidth=width, label=label)
    gaps = _runs([value is None for value in series.p_fake])
    for start, end in gaps:
        scores.axvspan(start, end, **_MISSING)
    scores.axhline(0.5, color=FUSED, linewidth=0.5, linestyle=":")
    scores.set(ylim=(0, 1), xlim=(0, max(count, 1)), ylabel="p(fake)", title=_title(verdict))
    handles, labels = scores.get_legend_handles_labels()
    if gaps:
        handles.append(Patch(**_MISSING))
        labels.append("no score")
    figure.legend(handles, labels, loc="outside lower center", fontsize="small", ncols=4, frameon=False)
    _strips(strips, series.face, series.speech)
    return to_png(figure)


def _title(verdict: Verdict) -> str:
    chance = "" if verdict.p_fake is None else f", p(fake) {verdict.p_fake:.2f}"
    if verdict.interval:
        chance += f" ({verdict.interval[0]:.2f} to {verdict.interval[1]:.2f})"
    known = "" if verdict.bundle.measured else ": this model's error rates were never measured"
    lost = ", ".join(sorted({f"{d.modality} {d.reason}" for d in verdict.degraded}))
    return f"{verdict.verdict}{chance}{known}" + (f"\ndegraded: {lost}" if lost else "")


def _strips(axes: Axes, faces: Sequence[int | None], speech: Sequence[float | None]) -> None:
    """Where there was a face and where there was speech."""
    rows = np.array([[float(bool(f)) for f in faces], [float(s or 0.0) for s in speech]], np.float64)
    if rows.size:
        axes.imshow(
            rows, aspect="auto", cmap="Greys", vmin=0, vmax=1.6, extent=(0, rows.shape[1], 2, 0),
            interpolation="nearest",
        )
    axes.set(yticks=[0.5, 1.5], yticklabels=["face", "speech"], xlabel="time (s)", ylim=(2, 0))


def _runs(marks: Sequence[bool]) -> list[tuple[int, int]]:
    """[start, end) of each stretch of True: an hour without a face is one patch, not 3 600."""
    edges = np.flatnonzero(np.diff(np.array([False, *marks, False]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _steps(values: Sequence[float | None]) -> NDArray[np.float64]:
    """Each value at both edges of its window; NaN, which is not drawn, where there is none."""
    return np.repeat(np.array([np.nan if v is None else v for v in values], np.float64), 2)
