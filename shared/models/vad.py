"""Voice activity: which 20 ms of a stretch of sound are speech (silero-vad)."""

import numpy as np
from numpy.typing import NDArray


def speech_mask(samples: NDArray[np.float32], valid: int) -> tuple[NDArray[np.uint8], float]:
    """samples: (N,) float32 in [-1, 1] at 16 kHz; valid: how many are not padding.

    Returns a mask (ceil(N / 320),) uint8, 1 where that 20 ms is speech, and its fraction of the
    valid part in [0, 1]. Stateless: the same samples give the same mask whatever came before.
    """
    raise NotImplementedError
