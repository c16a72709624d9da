"""Features of the 5 frames of a window -> its embedding (batch, 2048). Model contract, Decision 2."""

from typing import cast

import torch
from torch import Tensor, nn

from shared.models.windows import FRAMES, VIDEO_DIM


class TemporalConv(nn.Module):
    """Conv1d over time, kernel 3, then average pool: (batch, 5, features) -> (batch, 2048)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(features, VIDEO_DIM, kernel_size=3, padding=1)
        self.activation = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        hidden = self.activation(self.convolution(features.transpose(1, 2)))
        return cast(Tensor, hidden.mean(dim=2))


class TemporalTransformer(nn.Module):
    """Self-attention over the frames, then average pool: (batch, 5, features) -> (batch, 2048).

    Method 3.1. Two pre-norm layers of width 512 with learned positions.
    """

    def __init__(self, features: int, width: int = 512, heads: int = 8, layers: int = 2) -> None:
        super().__init__()
        self.narrow = nn.Linear(features, width)
        self.positions = nn.Parameter(torch.zeros(1, FRAMES, width))
        layer = nn.TransformerEncoderLayer(
            width, heads, dim_feedforward=4 * width, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.widen = nn.Linear(width, VIDEO_DIM)
        nn.init.normal_(self.positions, std=0.02)

    def forward(self, features: Tensor) -> Tensor:
        hidden = self.encoder(self.narrow(features) + self.positions)
        return cast(Tensor, self.widen(hidden.mean(dim=1)))
