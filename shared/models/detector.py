"""The detector as services use it: numpy in, numpy out, on a pinned device, dtype and thread count."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from shared.contracts.results import Interval, Probability, Series
from shared.models import calibration, scoring
from shared.models.audio_encoder import encode_padded, token_encoder, token_mask
from shared.models.flow import optical_flow
from shared.models.model import DeepfakeModel, fusion_scorer
from shared.models.presets import Preset
from shared.models.runtime import GPU_ROWS, Runtime, in_chunks, pin
from shared.models.schema import BundleManifest
from shared.models.video_encoder import video_encoder
from shared.models.windows import SAMPLES, VIDEO_DIM, WindowInput, WindowOutput


class Detector:
    """A window's output is bit-equal whatever else is in the call, on one runtime."""

    def __init__(
        self, model: DeepfakeModel, preset: Preset, manifest: BundleManifest, runtime: Runtime
    ) -> None:
        """model: in evaluation mode, on the runtime's device and dtype (see `bundle.load_bundle`)."""
        self.manifest = manifest
        self.runtime = str(runtime)  # recorded in every result, e.g. "cpu/bfloat16/2"
        self._model, self._preset, self._runtime, self._device = model, preset, runtime, runtime.device

    @property
    def audio_tokens(self) -> int:
        """A: tokens of a full window."""
        return token_encoder(self._model.audio).tokens(SAMPLES)

    @torch.inference_mode()
    def encode_audio(self, samples: NDArray[np.float32], valid: NDArray[np.int64]) -> NDArray[np.float16]:
        """samples: (B, 16000) float32 in [-1, 1], 16 kHz; valid: (B,) samples that are not padding.

        Returns tokens (B, A, 512) float16; those past `valid` are zero, padding changes nothing else.
        """
        encoder = token_encoder(self._model.audio)
        pin(self._runtime)
        waveform = torch.from_numpy(np.ascontiguousarray(samples)).to(self._device)
        counts = torch.from_numpy(np.asarray(valid, dtype=np.int64))
        return _float16(encode_padded(encoder, waveform, counts, in_chunks))

    def token_mask(self, speech: NDArray[np.uint8], valid: NDArray[np.int64]) -> NDArray[np.uint8]:
        """speech: (B, 50), 1 where 20 ms are speech (`vad.speech_mask`). Returns (B, A), for the record."""
        encoder = token_encoder(self._model.audio)
        mask = token_mask(encoder, torch.from_numpy(np.asarray(speech)), torch.from_numpy(np.asarray(valid)))
        return cast(NDArray[np.uint8], mask.to(torch.uint8).numpy())

    @torch.inference_mode()
    def encode_video(self, crops: NDArray[np.uint8]) -> NDArray[np.float16]:
        """crops: (B, 5, 224, 224, 3) RGB, one face in one window each. Returns (B, 2048) float16."""
        encoder = video_encoder(self._model.video)
        pin(self._runtime)
        if not len(crops):
            return np.zeros((0, VIDEO_DIM), np.float16)
        chunks = [crops[i : i + GPU_ROWS] for i in range(0, len(crops), GPU_ROWS)]
        return _float16(torch.cat([in_chunks(encoder, self.frames_tensor(chunk)) for chunk in chunks]))

    @torch.inference_mode()
    def score(self, windows: Sequence[WindowInput]) -> list[WindowOutput]:
        """One output a window, in order. See `WindowOutput`; a window without any input gives all None."""
        scorer = fusion_scorer(self._model.scorer)
        pin(self._runtime)
        return [scoring.score_window(scorer, window, self.manifest, self._device) for window in windows]

    def aggregate(self, series: Series, duration_s: float) -> tuple[Probability, Interval | None]:
        """The clip's p_fake and interval from its windows (see `calibration.aggregate`)."""
        return calibration.aggregate(series, duration_s, self.manifest.calibration)

    @property
    def last_conv(self) -> nn.Module:
        """The last convolutional stage of the frame backbone: its output is (F * 5, C, h, w), h, w >= 7."""
        return video_encoder(self._model.video).last_conv

    def frames_tensor(self, crops: NDArray[np.uint8]) -> Tensor:
        """crops (F, 5, 224, 224, 3) uint8 -> (F, 5, C, 224, 224) float32, for `fake_score`.

        C: 3 normalised colours, and 2 of optical flow where the preset takes it.
        """
        pixels = torch.from_numpy(np.ascontiguousarray(crops)).to(self._device, torch.float32)
        mean = torch.tensor(self._preset.pixel_mean, device=self._device)
        std = torch.tensor(self._preset.pixel_std, device=self._device)
        channels = (pixels / 255.0 - mean) / std
        if self._preset.flow:
            channels = torch.cat([channels, torch.from_numpy(optical_flow(crops)).to(self._device)], dim=4)
        return channels.permute(0, 1, 4, 2, 3)  # channels last in memory, as convolutions like it

    def fake_score(
        self, frames: Tensor | None, samples: Tensor | None, speech: NDArray[np.uint8] | None = None
    ) -> Tensor:
        """The whole model for one window, differentiable (explain). Load the bundle in float32 for it.

        frames: (1, 5, C, 224, 224) from `frames_tensor`, or None; samples: (N,) float32, N >= 400,
        valid samples only, or None; speech: (50,) as for `token_mask`, None: all is speech.
        Returns the scalar fake logit; gradients reach `last_conv`'s output, frames and samples.
        Without frames and without speech it is the constant of absence, and has no gradient.
        """
        pin(self._runtime)
        mask = None
        if samples is not None and speech is not None:
            mask = self.token_mask(speech[None], np.array([len(samples)]))
        return scoring.fake_logit(self._model, self.manifest, frames, samples, mask, self._device)


def _float16(tensor: Tensor) -> NDArray[np.float16]:
    return cast(NDArray[np.float16], tensor.to(torch.float16).cpu().numpy())
