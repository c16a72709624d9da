"""The detector as services use it: numpy in, numpy out, on a pinned device, dtype and thread count."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from shared.contracts.results import Interval, Probability, Series
from shared.models.manifest import BundleManifest
from shared.models.windows import WindowInput, WindowOutput


class Detector:
    """A window's output is bit-equal whatever else is in the call, on one runtime."""

    manifest: BundleManifest
    runtime: str
    """Device, dtype and threads, e.g. "cpu/bfloat16/2"; recorded in every result."""
    audio_tokens: int
    """A: tokens of a full window."""

    def encode_audio(self, samples: NDArray[np.float32], valid: NDArray[np.int64]) -> NDArray[np.float16]:
        """samples: (B, 16000) float32 in [-1, 1], 16 kHz; valid: (B,) samples that are not padding.

        Returns tokens (B, A, 512) float16; those past `valid` are zero, padding changes nothing else.
        """
        raise NotImplementedError

    def token_mask(self, speech: NDArray[np.uint8], valid: NDArray[np.int64]) -> NDArray[np.uint8]:
        """speech: (B, 50), 1 where 20 ms are speech (`vad.speech_mask`). Returns (B, A), for the record."""
        raise NotImplementedError

    def encode_video(self, crops: NDArray[np.uint8]) -> NDArray[np.float16]:
        """crops: (B, 5, 224, 224, 3) RGB, one face in one window each. Returns (B, 2048) float16."""
        raise NotImplementedError

    def score(self, windows: Sequence[WindowInput]) -> list[WindowOutput]:
        raise NotImplementedError

    def aggregate(self, series: Series, duration_s: float) -> tuple[Probability, Interval | None]:
        raise NotImplementedError

    @property
    def last_conv(self) -> nn.Module:
        """The last convolutional stage of the frame backbone: its output is (F * 5, C, h, w), h, w >= 7."""
        raise NotImplementedError

    def frames_tensor(self, crops: NDArray[np.uint8]) -> Tensor:
        """crops (F, 5, 224, 224, 3) uint8 -> normalised (F, 5, 3, 224, 224), for `fake_score`."""
        raise NotImplementedError

    def fake_score(
        self, frames: Tensor | None, samples: Tensor | None, speech: NDArray[np.uint8] | None = None
    ) -> Tensor:
        """The whole model for one window, differentiable (explain). Load the bundle in float32 for it.

        frames: (1, 5, 3, 224, 224) from `frames_tensor`, or None; samples: (N,) float32, N >= 400,
        valid samples only, or None; speech: (50,) as for `token_mask`.
        Returns the scalar fake logit; gradients reach `last_conv`'s output, frames and samples.
        """
        raise NotImplementedError

    _unused: Any = None
