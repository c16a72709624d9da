"""Feature vector -> fake logit, with dropout members for its uncertainty (method 2.4)."""

from typing import cast

import torch
from torch import Tensor, nn


class FakeHead(nn.Module):
    """LayerNorm, Linear, ReLU, dropout, Linear: (batch, size) -> (batch,) logits, positive is fake.

    `members` holds fixed dropout masks over the hidden layer, so that the members of the
    Monte-Carlo dropout (Gal and Ghahramani 2016) are the same on every run and every machine.
    """

    def __init__(self, size: int, hidden: int, dropout: float, members: int = 0) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(size)
        self.hidden = nn.Sequential(nn.Linear(size, hidden), nn.ReLU())
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(hidden, 1)
        if members:
            kept = torch.empty(members, hidden).bernoulli_(1 - dropout)
            self.register_buffer("members", kept.to(torch.uint8))
            self.members: Tensor
        self.scale = 1.0 / (1.0 - dropout)

    def features(self, vector: Tensor) -> Tensor:
        return cast(Tensor, self.hidden(self.norm(vector)))

    def forward(self, vector: Tensor) -> Tensor:
        return cast(Tensor, self.out(self.dropout(self.features(vector))).squeeze(1))

    def member_logits(self, vector: Tensor) -> Tensor:
        """(batch, size) -> (batch, members) logits, one for each dropout mask."""
        masks = self.members.to(vector.dtype) * self.scale
        weighed = masks * self.out.weight  # (members, hidden)
        return self.features(vector) @ weighed.T + self.out.bias
