"""The whole model of a preset, as training and the detector share it."""

from typing import Any, NamedTuple, cast

from torch import Tensor, nn

from shared.contracts.base import Modality
from shared.models.audio_encoder import Wav2Vec2Encoder, encode_padded, token_encoder
from shared.models.filterbank import FilterbankEncoder
from shared.models.fusion import Absent, Concatenation, CrossAttention, Fused, masked_mean
from shared.models.heads import FakeHead
from shared.models.presets import Preset
from shared.models.residual import ResidualFrames
from shared.models.temporal import TemporalConv, TemporalTransformer
from shared.models.video_encoder import EfficientNetFrames, VideoEncoder, video_encoder
from shared.models.windows import AUDIO_DIM, VIDEO_DIM


class Scores(NamedTuple):
    """Raw logits, positive is fake. fused, video, audio: (batch,); a unimodal one of a row without
    that modality means nothing. members: (batch, M). attention: (batch, heads, T, A) or None."""

    fused: Tensor
    video: Tensor
    audio: Tensor
    members: Tensor
    attention: Tensor | None


class FusionScorer(nn.Module):
    """Embeddings -> scores: what the fusion service runs."""

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        literal = preset.fusion == "literal"
        self.absent = Absent(learned=not literal)
        self.fusion: Concatenation | CrossAttention = (
            Concatenation()
            if preset.fusion == "concat"
            else CrossAttention(
                preset.fusion_width, preset.attention_heads, preset.gate_hidden, literal=literal
            )
        )
        size: int = self.fusion.size
        self.head = FakeHead(size, preset.head_hidden, preset.dropout, preset.members)
        self.video_head = FakeHead(VIDEO_DIM, preset.head_hidden, preset.dropout)
        self.audio_head = FakeHead(AUDIO_DIM, preset.head_hidden, preset.dropout)

    def forward(
        self, video: Tensor, audio: Tensor, mask: Tensor, use_video: Tensor, use_audio: Tensor
    ) -> Scores:
        """video (batch, T, 2048), audio (batch, A, 512), mask (batch, A) bool, use_* (batch,) bool.

        Where a modality is not used, the fusion sees its absent token (modality dropout, method
        1.5, is a draw of `use_*`); the unimodal heads see what there is either way.
        """
        fused: Fused = self.fusion(*self.absent.fill(video, audio, mask, use_video, use_audio))
        return Scores(
            fused=self.head(fused.vector),
            video=self.video_head(video.mean(dim=1)),
            audio=self.audio_head(masked_mean(audio, mask)),
            members=self.head.member_logits(fused.vector),
            attention=fused.attention,
        )


class DeepfakeModel(nn.Module):
    """Two encoders and the scorer. Services load only the parts they run; the others are None."""

    def __init__(
        self,
        preset: Preset,
        backbones: dict[Modality, dict[str, Any]],
        *,
        parts: tuple[str, ...] = ("audio", "video", "scorer"),
        pretrained: frozenset[Modality] = frozenset(),
    ) -> None:
        super().__init__()
        self.audio = _audio(preset, backbones, "audio" in pretrained) if "audio" in parts else None
        self.video = _video(preset, backbones) if "video" in parts else None
        self.scorer = FusionScorer(preset) if "scorer" in parts else None

    def forward(
        self,
        frames: Tensor,
        samples: Tensor,
        valid: Tensor,
        mask: Tensor,
        use_video: Tensor,
        use_audio: Tensor,
    ) -> Scores:
        """frames (batch, 5, C, 224, 224) normalised; samples (batch, N) float32, valid (batch,) int64;
        mask (batch, A) bool (see `audio_encoder.token_mask`); use_* (batch,) bool."""
        audio = encode_padded(token_encoder(self.audio), samples, valid)
        video = video_encoder(self.video)(frames).unsqueeze(1)
        scores = fusion_scorer(self.scorer)(video.float(), audio.float(), mask, use_video, use_audio)
        return cast(Scores, scores)


def _audio(preset: Preset, backbones: dict[Modality, dict[str, Any]], pretrained: bool) -> nn.Module:
    if preset.audio == "wav2vec2":
        return Wav2Vec2Encoder(backbones["audio"], pretrained=pretrained)
    return FilterbankEncoder(preset.audio_width)


def _video(preset: Preset, backbones: dict[Modality, dict[str, Any]]) -> VideoEncoder:
    channels = 5 if preset.flow else 3
    frames: EfficientNetFrames | ResidualFrames = (
        EfficientNetFrames(backbones["video"], channels=channels)
        if preset.video == "efficientnet"
        else ResidualFrames(preset.video_width, channels=channels)
    )
    temporal = TemporalConv if preset.temporal == "conv" else TemporalTransformer
    return VideoEncoder(frames, temporal(frames.features))


def fusion_scorer(scorer: FusionScorer | None) -> FusionScorer:
    """Raises `RuntimeError` where the model was loaded without its fusion."""
    if scorer is None:
        raise RuntimeError("this model was loaded without its fusion")
    return scorer
