"""Grad-CAM maps as pictures: the map alone, and laid over its place in the original frame."""

from io import BytesIO

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

ALPHA = 0.4  # model contract, Decision 4
_COLOURS = (matplotlib.colormaps["inferno"](np.arange(256))[:, :3] * 255).round().astype(np.uint8)
Box = tuple[float, float, float, float]


def heatmap(cam: NDArray[np.float32]) -> bytes:
    """PNG of a map (h, w) in [0, 1]."""
    return _png(_coloured(cam))


def overlay(
    frame: NDArray[np.uint8], cam: NDArray[np.float32], transform: NDArray[np.float32]
) -> bytes:
    """PNG of the frame with the map over the face.

    frame: (H, W, 3) RGB; cam: (224, 224) in [0, 1]; transform: (2, 3), from frame to crop pixels.
    """
    size = (frame.shape[1], frame.shape[0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    placed = cv2.warpAffine(cam, transform, size, flags=flags).astype(np.float32)
    inside = cv2.warpAffine(np.ones_like(cam), transform, size, flags=flags)[..., None]
    alpha = ALPHA * inside
    mixed = frame * (1 - alpha) + _coloured(placed) * alpha
    return _png(np.clip(np.rint(mixed), 0, 255).astype(np.uint8))


def box_of(transform: NDArray[np.float32], side: int, scale: float) -> Box:
    """The crop's bounding box in the original picture: x0, y0, x1, y1 in its pixels.

    transform: (2, 3), from decoded frame to crop; side: of the crop; scale: original over decoded size.
    """
    corners = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
    back = cv2.invertAffineTransform(transform)
    points = (corners @ back[:, :2].T + back[:, 2]) * scale
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    return round(float(x0), 1), round(float(y0), 1), round(float(x1), 1), round(float(y1), 1)


def _coloured(cam: NDArray[np.float32]) -> NDArray[np.uint8]:
    return _COLOURS[np.rint(np.clip(cam, 0, 1) * 255).astype(np.uint8)]


def _png(pixels: NDArray[np.uint8]) -> bytes:
    out = BytesIO()
    Image.fromarray(pixels).save(out, format="PNG")
    return out.getvalue()
