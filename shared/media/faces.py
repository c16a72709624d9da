"""Faces: found, followed over a segment, aligned."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.media.windows import VideoWindow

CROP = 224
MAX_FACES = 3


@dataclass(frozen=True)
class Face:
    """One person's face in the five frames of a window.

    `crops` uint8 (5, 224, 224, 3) RGB; `transforms` float32 (5, 2, 3), from pixels of the decoded
    frame (`VideoWindow.frames`) to pixels of the crop; `boxes` float32 (5, 4) x0, y0, x1, y1 in
    pixels of the decoded frame. `track` identifies the person within the segment.
    """

    track: int
    crops: NDArray[np.uint8]
    transforms: NDArray[np.float32]
    boxes: NDArray[np.float32]


@dataclass(frozen=True)
class FaceWindow:
    """Up to three faces, dominant first. None: `reason` is `no_face` or the video window's own."""

    index: int
    faces: tuple[Face, ...]
    reason: str = ""


def track_faces(windows: Iterable[VideoWindow]) -> Iterator[FaceWindow]:
    """One `FaceWindow` for each window, in order, as soon as it is known.

    Deterministic given the segment: a window's faces depend on it and on the earlier windows
    of the same call only.
    """
    raise NotImplementedError
    yield


def crop_again(frames: NDArray[np.uint8], transforms: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The same crops, uint8 (5, 224, 224, 3), from frames (5, H, W, 3) and transforms (5, 2, 3)."""
    raise NotImplementedError
