"""Manipulated twins of a real clip, made by the project itself.

The blended twin follows the self-blended images of Shiohara and Yamasaki (CVPR 2022): the face region is
replaced by a slightly moved, recoloured and sharpened copy of itself under a soft mask, so that there is a
blending boundary and a mismatch of statistics, and no second person. The shifted twin moves the sound
against the picture.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.media.encode import RATE, Frames, Samples, read_clip, write_clip
from shared.media.mtcnn import cascade

SHIFT_S = 0.6
SMALLEST = 48  # pixels of a face
DETECT_EVERY = 5  # frames; between them the box is interpolated
TWINS = ("face-blended.mp4", "sound-shifted.mp4")
Boxes = NDArray[np.float64]  # (frames, 4) x0, y0, x1, y1 in pixels


def make(clip: Path, folder: Path) -> list[Path]:
    """Write the twins of `clip` into `folder` and give their paths; those that are there stay."""
    paths = [folder / name for name in TWINS]
    if not all(path.exists() for path in paths):
        folder.mkdir(parents=True, exist_ok=True)
        frames, samples = read_clip(clip)
        for path, twin in zip(paths, (blended(frames), frames), strict=True):
            sound = shifted(samples) if path.name == "sound-shifted.mp4" else samples
            partial = path.with_suffix(".part")
            partial.write_bytes(write_clip(twin, sound))
            partial.replace(path)
    return paths


def shifted(samples: Samples) -> Samples:
    """The sound `SHIFT_S` late: silence first, the end cut."""
    delay = np.zeros(int(SHIFT_S * RATE), np.float32)
    return np.concatenate([delay, samples])[: len(samples)]


def blended(frames: Frames) -> Frames:
    """Each frame's face blended with an altered copy of itself. Raises ValueError without a face."""
    return np.stack([_blend(frame, box) for frame, box in zip(frames, face_boxes(frames), strict=True)])


def face_boxes(frames: Frames) -> Boxes:
    """One box a frame: the surest face of every fifth frame, interpolated between. Raises ValueError."""
    known = {}
    for number in range(0, len(frames), DETECT_EVERY):
        found = cascade().detect(frames[number], SMALLEST)
        if found:
            known[number] = found[0].box
    if not known:
        raise ValueError("no face in the clip")
    at, boxes = list(known), np.asarray(list(known.values()), np.float64)
    return np.stack([np.interp(np.arange(len(frames)), at, boxes[:, i]) for i in range(4)], axis=1)


def _blend(frame: NDArray[np.uint8], box: NDArray[np.float64]) -> NDArray[np.uint8]:
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    centre = (float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
    move = np.asarray(cv2.getRotationMatrix2D(centre, 1.5, 1.03), np.float64)
    move[:, 2] += np.array([0.015 * width, 0.01 * height])
    other = cv2.warpAffine(frame, move, (frame.shape[1], frame.shape[0]), borderMode=cv2.BORDER_REFLECT)
    hue = cv2.cvtColor(other, cv2.COLOR_RGB2HSV).astype(np.int16) + np.array([3, 14, -10], np.int16)
    other = cv2.cvtColor(np.clip(hue, 0, (179, 255, 255)).astype(np.uint8), cv2.COLOR_HSV2RGB)
    other = cv2.addWeighted(other, 1.6, cv2.GaussianBlur(other, (0, 0), 2), -0.6, 0)
    mask = np.zeros(frame.shape[:2], np.float32)
    axes = (int(0.42 * width), int(0.46 * height))
    cv2.ellipse(mask, (int(centre[0]), int(centre[1])), axes, 0, 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(mask, (0, 0), 0.03 * width)[..., None]
    return np.asarray(np.round(soft * other + (1 - soft) * frame), np.uint8)


