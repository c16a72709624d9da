"""Video embedding and audio tokens -> one fused vector. Model contract, Decision 3.

All forms take video (batch, T, 2048), audio (batch, A, 512) and mask (batch, A) bool, True where a
token counts, at least one a row, and give `Fused`.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from shared.models.windows import AUDIO_DIM, VIDEO_DIM


class Fused(NamedTuple):
    """vector: (batch, size); attention: (batch, heads, T_video, T_audio), None where none attends."""

    vector: Tensor
    attention: Tensor | None


class CrossAttention(nn.Module):
    """Video queries attend over audio; a gate weighs picture against sound; sound is concatenated.

    Corrected: `video_context = LayerNorm(video + attention)`, without which the picture would act
    through attention weights alone. `literal` leaves the correction out, for comparison.
    """

    def __init__(self, width: int, heads: int, gate_hidden: int, *, literal: bool = False) -> None:
        """width: 2048 in the contract; a smaller one projects the video down first."""
        super().__init__()
        self.size = width + AUDIO_DIM
        self.narrow = nn.Identity() if width == VIDEO_DIM else nn.Linear(VIDEO_DIM, width)
        self.attention = nn.MultiheadAttention(
            width, heads, kdim=AUDIO_DIM, vdim=AUDIO_DIM, batch_first=True
        )
        self.norm = None if literal else nn.LayerNorm(width)
        self.audio_context = nn.Linear(AUDIO_DIM, width)
        self.gate = nn.Sequential(
            nn.Linear(2 * width, gate_hidden), nn.ReLU(), nn.Linear(gate_hidden, 1), nn.Sigmoid()
        )

    def forward(self, video: Tensor, audio: Tensor, mask: Tensor) -> Fused:
        query = self.narrow(video)
        attended, weights = self.attention(
            query, audio, audio, key_padding_mask=~mask, average_attn_weights=False
        )
        context = attended if self.norm is None else self.norm(query + attended)
        picture = context.mean(dim=1)  # (batch, width)
        sound = masked_mean(audio, mask)  # (batch, 512)
        wide = self.audio_context(sound)
        gate = self.gate(torch.cat([picture, wide], dim=1))
        mixed = gate * picture + (1 - gate) * wide
        return Fused(torch.cat([mixed, sound], dim=1), weights)


class Concatenation(nn.Module):
    """The baseline: mean video beside mean audio, (batch, 2560)."""

    size = VIDEO_DIM + AUDIO_DIM

    def forward(self, video: Tensor, audio: Tensor, mask: Tensor) -> Fused:
        return Fused(torch.cat([video.mean(dim=1), masked_mean(audio, mask)], dim=1), None)


class Absent(nn.Module):
    """What stands for a modality that is not there: a learned token, never a silent zero.

    In the literal form it is zero, as there.
    """

    def __init__(self, *, learned: bool = True) -> None:
        super().__init__()
        self.video = nn.Parameter(torch.empty(VIDEO_DIM).normal_(std=0.02), requires_grad=learned)
        self.audio = nn.Parameter(torch.empty(AUDIO_DIM).normal_(std=0.02), requires_grad=learned)
        if not learned:
            nn.init.zeros_(self.video)
            nn.init.zeros_(self.audio)

    def fill(
        self, video: Tensor, audio: Tensor, mask: Tensor, use_video: Tensor, use_audio: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Shapes as above; use_video, use_audio: (batch,) bool. Returns video, audio, mask for a fusion.

        An unused video is the token at every time; sound unused or wholly masked is the token alone.
        """
        video = torch.where(use_video[:, None, None], video, self.video)
        silent = ~(mask.any(dim=1) & use_audio)
        audio = torch.where(silent[:, None, None], self.audio, audio)
        only_first = torch.arange(mask.shape[1], device=mask.device) == 0
        return video, audio, torch.where(silent[:, None], only_first, mask)


def masked_mean(audio: Tensor, mask: Tensor) -> Tensor:
    """audio (batch, A, 512), mask (batch, A) bool -> (batch, 512), zero where all is masked."""
    weight = mask.to(audio.dtype)[:, :, None]
    return (audio * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)
