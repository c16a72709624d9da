"""What goes into the detector for one window and what comes out. No torch here."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FRAMES = 5  # per window
FRAME_SIZE = 224  # pixels, both ways
SAMPLES = 16_000  # per window: 1 s at 16 kHz
VIDEO_DIM = 2048
AUDIO_DIM = 512
SPEECH_FRAMES = 50  # of 20 ms, per window


@dataclass(frozen=True)
class WindowInput:
    """One joined window, as the two embedding records carry it.

    video: (faces, 2048) float16, or None where absent, failed, or not planned.
    audio: (A, 512) float16, or None likewise.
    mask: (A,) uint8, 1 where the token is speech; None: all are. No speech at all counts as absent.
    """

    video: NDArray[np.float16] | None = None
    audio: NDArray[np.float16] | None = None
    mask: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class WindowOutput:
    """Scores are calibrated probabilities in [0, 1], 1 is fake; None where there is no input.

    p_fake, video, attention belong to the face with the highest p_fake, `face_index` of the input's
    faces. interval: 5th and 95th percentile of the dropout members, widened to hold p_fake.
    agreement: max(min(v, a), min(1 - v, 1 - a)), None unless both modalities are there.
    attention: (heads, T_video = 1, A) float32, None unless both are there and the preset attends.
    """

    p_fake: float | None = None
    interval: tuple[float, float] | None = None
    video: float | None = None
    audio: float | None = None
    agreement: float | None = None
    face_index: int | None = None
    attention: NDArray[np.float32] | None = None


def agreement(video: float, audio: float) -> float:
    """How far both modalities say the same, in [0, 1] (model contract, Decision 4)."""
    return max(min(video, audio), min(1.0 - video, 1.0 - audio))
