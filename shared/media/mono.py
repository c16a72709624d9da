"""One channel from any number of them."""

from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

# Speech is mixed to the centre where there is one. The rest of a layout adds what is said off it.
_WEIGHTS = {"FC": 1.0, "FL": 0.7, "FR": 0.7, "LFE": 0.0, "LFE2": 0.0}
_OTHERS = 0.4
_TOO_MANY_PLANES = 8  # PyAV 18.1 reads one plane too many from here on, and crashes


def to_mono(frame: AudioFrame) -> NDArray[np.float32]:
    """float32 (samples,), full scale 1: a weighted mean of the channels, so it never clips."""
    layout = frame.layout
    count = len(layout.channels)
    if frame.format.is_planar and count >= _TOO_MANY_PLANES:
        (frame,) = av.AudioResampler(frame.format.packed.name).resample(frame)
    data = frame.to_ndarray()
    if not frame.format.is_planar:
        data = data.reshape(-1, count).T
    scaled = _scale(np.asarray(data))
    if count == 1:
        return np.ascontiguousarray(scaled[0])
    weights = np.full(count, 0.5, np.float32)
    if count > 2:
        weights = np.array([_WEIGHTS.get(c.name, _OTHERS) for c in layout.channels], np.float32)
        weights = weights / weights.sum() if weights.sum() > 0 else np.full(count, 1 / count, np.float32)
    # Not a matrix product: its order of additions depends on the machine.
    return np.asarray((scaled * weights[:, None]).sum(axis=0), dtype=np.float32)


def _scale(data: NDArray[Any]) -> NDArray[np.float32]:
    if data.dtype == np.uint8:
        return (data.astype(np.float32) - 128) / np.float32(128)
    if np.issubdtype(data.dtype, np.integer):
        return (data.astype(np.float64) / -float(np.iinfo(data.dtype).min)).astype(np.float32)
    return data.astype(np.float32)
