"""The clock: one-second windows, five frames and 16 000 samples each (contract, decision 2)."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

WINDOW_S = 1
FRAMES = 5
SAMPLE_RATE = 16_000
MAX_SIDE = 1280  # longer side of a decoded frame, pixels

ABSENT_REASONS = frozenset({"past_end", "not_started"})
WindowStatus = Literal["ok", "absent", "failed"]


@dataclass(frozen=True)
class VideoWindow:
    """Five upright RGB frames at i + 0.0, 0.2, 0.4, 0.6, 0.8 s.

    `frames` is uint8 (5, H, W, 3), square pixels, longer side at most `MAX_SIDE` (see
    `frame_size`), or None with `reason`: `past_end`, `not_started` (absent) or a code such as
    `decode_failed` (failed).
    """

    index: int
    frames: NDArray[np.uint8] | None
    reason: str = ""

    @property
    def status(self) -> WindowStatus:
        return _status(self.frames is not None, self.reason)


@dataclass(frozen=True)
class AudioWindow:
    """`samples` float32 (16000,) in [-1, 1], 16 kHz mono; None with `reason` as in `VideoWindow`.

    The first `valid` samples are sound (gaps in timestamps are silence); the rest, in the last
    window of a stream, is padding with zeros.
    """

    index: int
    samples: NDArray[np.float32] | None
    valid: int = 0
    reason: str = ""

    @property
    def status(self) -> WindowStatus:
        return _status(self.samples is not None, self.reason)


def _status(usable: bool, reason: str) -> WindowStatus:
    if usable:
        return "ok"
    return "absent" if reason in ABSENT_REASONS else "failed"


def count(duration_s: float) -> int:
    """Windows of a clip: max(1, floor(d + 0.5)); the last may be partial."""
    return max(1, math.floor(duration_s + 0.5))


def segments(windows: int, length: int = 30) -> list[tuple[int, int]]:
    """Cut `windows` into segments [first, first + n) of at most `length` windows.

    Pure arithmetic of the count, so that a segment means the same to everyone.
    """
    return [(first, min(length, windows - first)) for first in range(0, windows, length)]


def frame_size(width: int, height: int, max_side: int = MAX_SIDE) -> tuple[int, int]:
    """(width, height) of decoded frames for an upright picture of this size; never enlarged."""
    scale = min(1.0, max_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
