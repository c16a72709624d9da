"""Optical flow between the frames of a window, as two more channels (method 2.2). No torch here."""

import cv2
import numpy as np
from numpy.typing import NDArray

REACH = 16.0  # pixels between frames that count as 1; more is clipped at 4


def optical_flow(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """crops: (B, 5, H, W, 3) RGB. Returns flow (B, 5, H, W, 2) float32 in [-4, 4], dx then dy.

    Frame i holds the motion from frame i - 1 to it, by dense inverse search (Kroeger and others
    2016); the first holds none.
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = np.zeros((*crops.shape[:4], 2), np.float32)
    for window, frames in enumerate(crops):
        grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
        for i in range(1, len(grey)):
            flow[window, i] = search.calc(grey[i - 1], grey[i], np.zeros((*grey[i].shape, 2), np.float32))
    return np.clip(flow / REACH, -4, 4)
