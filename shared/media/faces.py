"""Faces: found, followed over a segment, aligned.

The first frame of a window is searched whole; in the other four the known faces are refined where
they were (a tenth of the cost), and the frame is searched only when one of them is lost. A face that
appears within a window is therefore taken up at the next one at the latest, unless nobody was there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.media import align
from shared.media.tracks import Sighting, Tracks
from shared.media.windows import FRAMES, VideoWindow

CROP = align.CROP
MAX_FACES = 3
_MOST_MISSED = 2  # frames of a window without a person who is still shown in it


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

    Dominance is size x persistence: the area of a face summed over the segment so far.
    Deterministic given the segment: a window's faces depend on it and on the earlier windows
    of the same call only.
    """
    tracks = Tracks()
    for window in windows:
        if window.frames is None:
            tracks.skip(FRAMES)
            yield FaceWindow(window.index, (), window.reason)
            continue
        seen: list[dict[int, Sighting]] = []
        for number, frame in enumerate(window.frames):
            repeated = number > 0 and np.array_equal(frame, window.frames[number - 1])
            seen.append(seen[-1] if repeated else tracks.advance(frame, search=number == 0))
        faces = tuple(_faces(window.frames, seen, tracks))
        yield FaceWindow(window.index, faces, "" if faces else "no_face")


def crop_again(frames: NDArray[np.uint8], transforms: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The same crops, uint8 (5, 224, 224, 3), from frames (5, H, W, 3) and transforms (5, 2, 3)."""
    return np.stack([align.crop(f, t) for f, t in zip(frames, transforms, strict=True)])


def _faces(frames: NDArray[np.uint8], seen: list[dict[int, Sighting]], tracks: Tracks) -> Iterator[Face]:
    present = {track for frame in seen for track in frame}
    lasting = [t for t in present if sum(t not in frame for frame in seen) <= _MOST_MISSED]
    for track in sorted(lasting, key=lambda t: (-tracks.dominance(t), t))[:MAX_FACES]:
        there = [number for number, frame in enumerate(seen) if track in frame]
        nearest = [min((abs(other - number), other) for other in there)[1] for number in range(len(seen))]
        sightings = [seen[number][track] for number in nearest]
        transforms = np.stack([sighting.transform for sighting in sightings])
        boxes = np.stack([sighting.box for sighting in sightings])
        yield Face(track, crop_again(frames, transforms), transforms, boxes)
