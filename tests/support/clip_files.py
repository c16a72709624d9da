"""Clips as arrays and as files, for the tests that make their own from the demo clip."""

import numpy as np

from shared.media.encode import FPS, RATE, Frames, Samples, read_clip, write_clip

__all__ = ["FPS", "RATE", "Frames", "Samples", "read_clip", "repeated", "write_clip"]


def repeated(frames: Frames, samples: Samples, seconds: int) -> tuple[Frames, Samples]:
    """The clip over and over, cut to `seconds`."""
    times = seconds * FPS // len(frames) + 1
    sound = np.resize(samples[: len(frames) * RATE // FPS], len(frames) * RATE // FPS)
    return np.tile(frames, (times, 1, 1, 1))[: seconds * FPS], np.tile(sound, times)[: seconds * RATE]
