"""The compact sound encoder: linear log filterbank and a small CNN, ~0.6 M weights.

Linear bands, not mel: vocoders betray themselves in the high bands that mel merges.
"""

from typing import cast

import torch
from torch import Tensor, nn

from shared.models.windows import AUDIO_DIM

WINDOW, HOP, BANDS = 400, 160, 80  # 25 ms and 10 ms at 16 kHz
FFT = 512


class Filterbank(nn.Module):
    """samples (batch, N) float32 -> (batch, 1, 80, frames) float32, loudness taken out."""

    full_precision = True  # see `runtime.cast_weights`

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("taper", torch.hann_window(WINDOW, periodic=False))
        self.register_buffer("bands", _triangles())
        self.taper: Tensor
        self.bands: Tensor

    def forward(self, samples: Tensor) -> Tensor:
        short = max(0, FFT - samples.shape[1])
        samples = nn.functional.pad(samples.float(), (0, short))
        spectrum = torch.stft(
            samples, FFT, HOP, WINDOW, self.taper, center=False, return_complex=True
        )
        power = torch.view_as_real(spectrum).square().sum(-1)  # (batch, 257, frames)
        log = torch.log(self.bands @ power + 1e-6)
        return (log - log.mean(dim=(1, 2), keepdim=True)).unsqueeze(1) * 0.25


class FilterbankEncoder(nn.Module):
    """A `TokenEncoder` of one token per 40 ms."""

    full_windows_at_once = 1

    def __init__(self, width: int) -> None:
        super().__init__()
        self.frontend = Filterbank()
        self.layers = nn.Sequential(
            _block(1, width, 2, 2),
            _block(width, 2 * width, 2, 2),
            _block(2 * width, 3 * width, 2, 1),
            _block(3 * width, 3 * width, 2, 1),
        )
        self.projection = nn.Linear(3 * width * (BANDS // 16), AUDIO_DIM)

    def tokens(self, samples: int) -> int:
        frames = 1 + (max(samples, FFT) - FFT) // HOP
        return (frames + 3) // 4

    def forward(self, samples: Tensor) -> Tensor:
        bands = self.frontend(samples).to(self.projection.weight.dtype)
        features = self.layers(bands)  # (batch, 3 * width, 5, A)
        flat = features.permute(0, 3, 1, 2).flatten(2)
        return cast(Tensor, self.projection(flat))


def _block(channels: int, out: int, bands: int, time: int) -> nn.Sequential:
    convolution = nn.Conv2d(channels, out, 3, stride=(bands, time), padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.SiLU())


def _triangles() -> Tensor:
    """(80, 257): triangular filters, evenly spaced from 0 to 8 kHz."""
    centres = torch.linspace(0, FFT // 2, BANDS + 2)
    bins = torch.arange(FFT // 2 + 1)[None, :]
    left, centre, right = centres[:-2, None], centres[1:-1, None], centres[2:, None]
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    return torch.clamp(torch.minimum(rising, falling), min=0)
