"""From a decoded picture to an upright one with square pixels."""

from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

_ODDEST_PIXEL = 4  # a sample aspect ratio beyond 4:1 is a lie


def upright_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int, int]:
    """(width, height, rotation): the upright picture, and degrees clockwise that make it so."""
    ratio = stream.sample_aspect_ratio or Fraction(1)
    if not Fraction(1, _ODDEST_PIXEL) <= ratio <= _ODDEST_PIXEL:
        ratio = Fraction(1)
    width, height = max(1, round(frame.width * ratio)), frame.height
    rotation = round(-frame.rotation / 90) * 90 % 360
    return (height, width, rotation) if rotation in (90, 270) else (width, height, rotation)


class Upright:
    """Converts frames to upright RGB of one size, scaling and colour in one step."""

    def __init__(self, width: int, height: int, rotation: int) -> None:
        """`width` and `height` of the result; `rotation` degrees clockwise."""
        self._turns = -(rotation // 90) % 4
        self._size = (height, width) if rotation in (90, 270) else (width, height)
        self._reformatter = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """uint8 (height, width, 3), C-contiguous."""
        width, height = self._size
        converted = self._reformatter.reformat(
            frame, width, height, "rgb24", interpolation="AREA", threads=1
        ).to_ndarray()
        return np.ascontiguousarray(np.rot90(converted, self._turns), dtype=np.uint8)
