"""Stretches of sound that look fake, and the picture of the window that weighed most in each."""

from collections.abc import Mapping, Sequence

from services.explain.audio_saliency import draw
from services.explain.frames import Looked
from shared.contracts.results import AudioAnomaly

SUSPECT = 0.5  # windows at or above it, side by side, make one stretch


def draw_sounds(looked: Sequence[Looked]) -> dict[int, bytes]:
    """Window index to its saliency picture, where a gradient was taken."""
    return {
        seen.evidence.window_index: draw(
            seen.samples, attribution.sound_gradient, float(seen.evidence.window_index), seen.evidence.p_fake
        )
        for seen, attribution in looked
        if seen.samples is not None and attribution.sound_gradient is not None
    }


def name_of(window: int) -> str:
    """The artifact's name."""
    return f"sound-{window:06d}-saliency.png"


def anomalies(
    audio: Sequence[float | None], duration_s: float, drawn: Mapping[int, bytes]
) -> tuple[AudioAnomaly, ...]:
    """audio: each window's score of the sound alone. Runs of windows at or above `SUSPECT`, in order."""
    found, start = [], None
    for index, score in enumerate([*audio, None]):
        suspect = score is not None and score >= SUSPECT
        if suspect and start is None:
            start = index
        if not suspect and start is not None:
            found.append(_anomaly(audio, range(start, index), duration_s, drawn))
            start = None
    return tuple(found)


def _anomaly(
    audio: Sequence[float | None], windows: range, duration_s: float, drawn: Mapping[int, bytes]
) -> AudioAnomaly:
    def score(window: int) -> float:
        return audio[window] or 0.0

    pictured = [w for w in windows if w in drawn]
    end_s = min(float(windows.stop), max(duration_s, float(windows.start)))
    return AudioAnomaly(
        start_s=float(windows.start), end_s=round(end_s, 4),
        confidence=max(score(w) for w in windows),
        saliency=name_of(max(pictured, key=score)) if pictured else None,
    )
