"""Who is who from frame to frame: faces followed by overlap of their boxes."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.media.align import transform_to_crop
from shared.media.mtcnn import Detection, cascade, overlap

_SIDE, _LARGE_SIDE = 320, 640  # longer side of the copy that is searched; the larger if nothing is found
_SMALLEST = 26  # pixels in that copy
_NEW, _KEEP = 0.9, 0.6  # scores to begin and to go on
_SAME = 0.3  # overlap
_FORGET = 10  # frames


@dataclass(frozen=True)
class Sighting:
    """A face in one frame, in pixels of that frame: box (4,), transform to the crop (2, 3)."""

    box: NDArray[np.float32]
    transform: NDArray[np.float32]


@dataclass
class _Track:
    box: NDArray[np.float32]  # fractions of the frame's longer side, so that copies do not matter
    missed: int = 0


class Tracks:
    """The people of one segment. Everything follows from the frames given, in their order."""

    def __init__(self) -> None:
        self._tracks: dict[int, _Track] = {}
        self._count = self._longer = 0
        self._dominance: dict[int, float] = {}

    def dominance(self, track: int) -> float:
        """Area summed over the frames so far."""
        return self._dominance.get(track, 0.0)

    def skip(self, frames: int) -> None:
        """Frames that could not be decoded."""
        for number in list(self._tracks):
            self._miss(number, frames)

    def advance(self, frame: NDArray[np.uint8], search: bool) -> dict[int, Sighting]:
        """Faces in the next frame, uint8 (H, W, 3) RGB, by track."""
        self._longer = max(frame.shape[:2])
        copy, scale = _copy(frame, _SIDE)
        found: dict[int, tuple[Detection, float]] = {}
        if not search:
            found = self._refined(copy, scale)
        if search or len(found) < len(self._tracks) or not self._tracks:
            found = self._searched(frame, copy, scale, thorough=search)
        for number in list(self._tracks):
            if number not in found:
                self._miss(number, 1)
        noted = {number: self._note(number, *pair) for number, pair in found.items()}
        return {number: sighting for number, sighting in noted.items() if sighting is not None}

    def _refined(self, copy: NDArray[np.uint8], scale: float) -> dict[int, tuple[Detection, float]]:
        side = max(copy.shape[:2])
        found = {}
        for number, track in self._tracks.items():
            seen = cascade().refine(copy, _square(track.box * side)[None], _KEEP)
            if seen and overlap(track.box * side, seen[0].box[None])[0] > _SAME:
                found[number] = (seen[0], scale)
        return found

    def _searched(
        self, frame: NDArray[np.uint8], copy: NDArray[np.uint8], scale: float, thorough: bool
    ) -> dict[int, tuple[Detection, float]]:
        detections = cascade().detect(copy, _SMALLEST)
        if thorough and not detections and max(frame.shape[:2]) > _SIDE:
            copy, scale = _copy(frame, _LARGE_SIDE)
            detections = cascade().detect(copy, _SMALLEST)
        matched = self._matched(detections, max(copy.shape[:2]))
        return {number: (seen, scale) for number, seen in matched.items()}

    def _matched(self, detections: list[Detection], side: int) -> dict[int, Detection]:
        """Known people first, best overlap first; the rest are new if they are sure enough."""
        pairs = [
            (-float(overlap(track.box * side, seen.box[None])[0]), number, place)
            for number, track in self._tracks.items()
            for place, seen in enumerate(detections)
        ]
        found: dict[int, Detection] = {}
        taken: set[int] = set()
        for negative, number, place in sorted(pairs):
            if -negative > _SAME and number not in found and place not in taken:
                found[number] = detections[place]
                taken.add(place)
        for place, seen in enumerate(detections):
            if place not in taken and seen.score >= _NEW:
                self._tracks[self._count] = _Track(seen.box / np.float32(side))
                found[self._count] = seen
                self._count += 1
        return found

    def _note(self, number: int, seen: Detection, scale: float) -> Sighting | None:
        landmarks = (seen.landmarks + 0.5) * scale - 0.5
        transform = transform_to_crop(landmarks.astype(np.float32))
        if transform is None:
            return None
        track = self._tracks[number]
        track.box, track.missed = seen.box * np.float32(scale / self._longer), 0
        width, height = np.clip(seen.box[2:] - seen.box[:2], 0, None) * scale / self._longer
        self._dominance[number] = self.dominance(number) + float(width * height)
        return Sighting((seen.box * scale).astype(np.float32), transform)

    def _miss(self, number: int, frames: int) -> None:
        self._tracks[number].missed += frames
        if self._tracks[number].missed > _FORGET:
            del self._tracks[number]


def _copy(frame: NDArray[np.uint8], side: int) -> tuple[NDArray[np.uint8], float]:
    """A copy with the longer side at most `side`, and how many frame pixels one of its pixels is."""
    scale = max(1.0, max(frame.shape[:2]) / side)
    if scale == 1.0:
        return frame, 1.0
    height, width = (max(1, round(length / scale)) for length in frame.shape[:2])
    return np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA), np.uint8), scale


def _square(box: NDArray[np.float32]) -> NDArray[np.float32]:
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]).max() / 2
    return np.concatenate([centre - half, centre + half]).astype(np.float32)
