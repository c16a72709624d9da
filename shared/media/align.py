"""Aligned face crops: a similarity transform from five landmarks to a canonical place."""

import cv2
import numpy as np
from numpy.typing import NDArray

CROP = 224
# Eyes, nose tip, mouth corners as fractions of the crop: forehead, chin and cheeks stay inside.
_TEMPLATE = np.array([(0.36, 0.41), (0.64, 0.41), (0.5, 0.565), (0.385, 0.71), (0.615, 0.71)]) * CROP


def transform_to_crop(landmarks: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Least-squares similarity (2, 3) float32 from frame to crop pixels; None if degenerate.

    In complex numbers z -> a z + b; no reflection is possible (Umeyama 1991 for the plane).
    """
    source = landmarks.astype(np.float64) @ np.array([1, 1j])
    target = _TEMPLATE @ np.array([1, 1j])
    centred = source - source.mean()
    spread = float((np.abs(centred) ** 2).sum())
    if not np.isfinite(spread) or spread < 1e-6:
        return None
    a = (np.conj(centred) * (target - target.mean())).sum() / spread
    b = target.mean() - a * source.mean()
    return np.array([(a.real, -a.imag, b.real), (a.imag, a.real, b.imag)], np.float32)


def crop(frame: NDArray[np.uint8], transform: NDArray[np.float32]) -> NDArray[np.uint8]:
    """uint8 (224, 224, 3); black outside the frame. A large face is shrunk without aliasing."""
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    steps = 1
    while scale * steps < 0.5 and steps < 8:
        steps *= 2
    # Pixel centres: (x + 0.5) * steps - 0.5.
    larger = transform * np.float32(steps)
    larger[:, 2] += (steps - 1) / 2
    side = CROP * steps
    cut = cv2.warpAffine(np.ascontiguousarray(frame), larger, (side, side), flags=cv2.INTER_LINEAR)
    if steps > 1:
        cut = cv2.resize(cut, (CROP, CROP), interpolation=cv2.INTER_AREA)
    return np.asarray(cut, np.uint8)
