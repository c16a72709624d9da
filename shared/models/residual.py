"""The compact frame backbone: RGB beside its high-pass residual, ~0.3 M weights, 14 x 14 at the end."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.models.video_encoder import COLOURS

_KERNEL = [
    [-1.0, 2.0, -2.0, 2.0, -1.0],
    [2.0, -6.0, 8.0, -6.0, 2.0],
    [-2.0, 8.0, -12.0, 8.0, -2.0],
    [2.0, -6.0, 8.0, -6.0, 2.0],
    [-1.0, 2.0, -2.0, 2.0, -1.0],
]


class HighPass(nn.Module):
    """Frames and the residual of their colours, by the 5 x 5 kernel of the spatial rich model
    (Fridrich and Kodovsky 2012): (frames, C, H, W) float32 -> (frames, C + 3, H, W) float32. In
    bfloat16 the residual would drown in rounding."""

    full_precision = True  # see `runtime.cast_weights`

    def __init__(self) -> None:
        super().__init__()
        kernel = torch.tensor([[one / 12 for one in row] for row in _KERNEL])
        self.register_buffer("kernel", kernel.expand(COLOURS, 1, 5, 5).contiguous())
        self.kernel: Tensor

    def forward(self, frames: Tensor) -> Tensor:
        residual = functional.conv2d(frames[:, :COLOURS], self.kernel, padding=2, groups=COLOURS)
        return torch.cat([frames, residual.clamp(-1, 1)], dim=1)


class ResidualFrames(nn.Module):
    """A `FrameBackbone`. The residual shows what blending, up-sampling and smoothing leave behind."""

    def __init__(self, width: int, *, channels: int = 3) -> None:
        super().__init__()
        self.channels = channels
        stem = channels + COLOURS
        self.high_pass = HighPass()
        self.features = 10 * width
        self.stem = nn.Sequential(
            nn.Conv2d(stem, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.SiLU()
        )
        self.stages = nn.Sequential(
            Separable(width, 2 * width, 2),
            Separable(2 * width, 4 * width, 2),
            Separable(4 * width, 4 * width, 1),
            Separable(4 * width, 6 * width, 2),
            Separable(6 * width, 6 * width, 1),
        )
        self.top = nn.Sequential(
            nn.Conv2d(6 * width, self.features, 1, bias=False), nn.BatchNorm2d(self.features), nn.SiLU()
        )

    @property
    def last_conv(self) -> nn.Module:
        return self.top

    @property
    def stem_conv(self) -> nn.Conv2d:
        return cast(nn.Conv2d, self.stem[0])

    def forward(self, frames: Tensor) -> Tensor:
        both = self.high_pass(frames).to(self.stem[0].weight.dtype)
        stage = self.top(self.stages(self.stem(both)))  # (frames, features, 14, 14)
        return cast(Tensor, stage.mean(dim=(2, 3)))


class Separable(nn.Module):
    """Depthwise and pointwise convolution, with a shortcut where the shape stays."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.shortcut = channels == out and stride == 1
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, stride=stride, padding=1, groups=channels, bias=False),
            nn.BatchNorm2d(channels), nn.SiLU(),
            nn.Conv2d(channels, out, 1, bias=False), nn.BatchNorm2d(out), nn.SiLU(),
        )

    def forward(self, features: Tensor) -> Tensor:
        out = self.layers(features)
        return features + out if self.shortcut else cast(Tensor, out)
