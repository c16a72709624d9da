"""A window of the clip as the workers saw it: decoded once more, the same crops by the same transforms."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.contracts.base import Modality
from shared.contracts.jobs import MediaInfo
from shared.contracts.results import Evidence
from shared.media.decode import decode
from shared.media.faces import crop_again
from shared.media.limits import Limits
from shared.media.sources import ByteSource
from shared.media.windows import AudioWindow, VideoWindow
from shared.models.audio_encoder import MIN_SAMPLES

SpeechMask = Callable[[NDArray[np.float32], int], tuple[NDArray[np.uint8], float]]


@dataclass(frozen=True)
class SeenWindow:
    """`frames`: (5, H, W, 3) uint8; `crops`: (5, 224, 224, 3) uint8; `transforms`: (5, 2, 3) float32;
    `samples`: (N,) float32 without padding; `speech`: (50,) uint8. None where the window has none."""

    evidence: Evidence
    frames: NDArray[np.uint8] | None = None
    crops: NDArray[np.uint8] | None = None
    transforms: NDArray[np.float32] | None = None
    samples: NDArray[np.float32] | None = None
    speech: NDArray[np.uint8] | None = None


def see(
    source: ByteSource, info: MediaInfo, evidence: Evidence, limits: Limits, speech_mask: SpeechMask
) -> SeenWindow:
    """Raises `BadMedia`, `Transient`."""
    streams: Sequence[Modality] = [
        *(["video"] if info.has_video and evidence.transforms else []),  # type: ignore[list-item]
        *(["audio"] if info.has_audio else []),  # type: ignore[list-item]
    ]
    found: list[VideoWindow | AudioWindow] = []
    if streams:
        windows = decode(source, info, evidence.window_index, 1, streams, limits)
        with closing(windows):
            found = list(windows)
    frames = next((w.frames for w in found if isinstance(w, VideoWindow)), None)
    sound = next((w for w in found if isinstance(w, AudioWindow) and w.samples is not None), None)
    samples = speech = None
    if sound is not None and sound.samples is not None:
        mask, _ = speech_mask(sound.samples, sound.valid)
        if mask.any():
            # As the worker does: padded with zeros to the least that the model hears.
            samples, speech = sound.samples[: max(sound.valid, MIN_SAMPLES)], mask
    if frames is None:
        return SeenWindow(evidence, samples=samples, speech=speech)
    transforms = np.array(evidence.transforms, np.float32).reshape(-1, 2, 3)
    crops = crop_again(frames, transforms)
    return SeenWindow(evidence, frames, crops, transforms, samples, speech)
