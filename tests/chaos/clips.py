"""Ten different clips from one: cut, shifted, silent, faceless, long, small, mirrored, sound alone."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.support.clip_files import FPS, RATE, read_clip, repeated, write_clip


@dataclass(frozen=True)
class Clip:
    """One file to submit."""

    name: str
    data: bytes


def ten_clips(demo: Path) -> list[Clip]:
    """The same ten files on every call."""
    frames, samples = read_clip(demo)
    half = len(frames) // 2
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 144, 0).repeat(3, 2)
    faceless = np.stack([np.roll(ramp, 4 * i, 1) for i in range(3 * FPS)])
    makers: dict[str, Callable[[], bytes]] = {
        "whole": lambda: write_clip(frames, samples),
        "first-half": lambda: write_clip(frames[:half], samples[: half * RATE // FPS]),
        "second-half": lambda: write_clip(frames[half:], samples[half * RATE // FPS :]),
        "shifted": lambda: write_clip(frames, np.roll(samples, RATE // 2)),
        "mirrored": lambda: write_clip(frames[:, :, ::-1], samples),
        "no-sound": lambda: write_clip(frames[: 3 * FPS], None),
        "no-face": lambda: write_clip(faceless, samples[: 3 * RATE]),
        "long": lambda: write_clip(*repeated(frames, samples, 65)),
        "small": lambda: write_clip(frames[:, ::2, ::2], samples),
        "sound-only": lambda: write_clip(None, samples),
    }
    return [Clip(name, make()) for name, make in makers.items()]
