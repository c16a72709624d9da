"""Face crops of one window -> embedding (batch, 2048). Model contract, Decision 2."""

from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

COLOURS = 3  # channels beyond these are optical flow


class FrameBackbone(Protocol):
    """What both frame backbones are."""

    features: int
    channels: int
    """3, or 5 with optical flow."""

    @property
    def last_conv(self) -> nn.Module:
        """Its output is the last convolutional stage, (frames, features, h, w), where Grad-CAM looks."""

    @property
    def stem_conv(self) -> nn.Conv2d:
        """The first convolution; its first inputs are the colours, flow follows."""

    def __call__(self, frames: Tensor) -> Tensor:
        """frames: (frames, channels, 224, 224). Returns (frames, features)."""


class EfficientNetFrames(nn.Module):
    """EfficientNet (B3: 1536 features, 7 x 7 at 224 px)."""

    def __init__(self, config: dict[str, Any], *, channels: int = 3) -> None:
        """config: of `transformers.EfficientNetConfig`; its channels give way to `channels`."""
        from transformers import EfficientNetConfig, EfficientNetModel

        super().__init__()
        parsed = EfficientNetConfig.from_dict({**config, "num_channels": channels})
        self.backbone: Any = EfficientNetModel(parsed)
        self.features: int = parsed.hidden_dim
        self.channels = channels

    @property
    def last_conv(self) -> nn.Module:
        return cast(nn.Module, self.backbone.encoder.top_activation)

    @property
    def stem_conv(self) -> nn.Conv2d:
        return cast(nn.Conv2d, self.backbone.embeddings.convolution)

    def forward(self, frames: Tensor) -> Tensor:
        frames = frames.to(self.backbone.dtype)
        stage = self.backbone.encoder(self.backbone.embeddings(frames)).last_hidden_state
        return cast(Tensor, stage.mean(dim=(2, 3)))


class VideoEncoder(nn.Module):
    """frames (batch, 5, channels, 224, 224) float32, normalised -> (batch, 2048)."""

    def __init__(self, frames: nn.Module, temporal: nn.Module) -> None:
        super().__init__()
        self.frames = frames
        self.temporal = temporal

    @property
    def last_conv(self) -> nn.Module:
        return cast(FrameBackbone, self.frames).last_conv

    def forward(self, frames: Tensor) -> Tensor:
        batch, times = frames.shape[:2]
        features = self.frames(frames.flatten(0, 1)).unflatten(0, (batch, times))
        return cast(Tensor, self.temporal(features))


def initialise(frames: nn.Module) -> None:
    """Random weights whose signal neither dies nor explodes (He and others 2015), for training from
    nothing. The libraries' own fade to a constant: `transformers` draws norms from N(0, 0.02)."""
    for module in frames.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)


def silence_flow(frames: FrameBackbone) -> None:
    """Zero weights for the two flow channels, if any: training starts from the model without flow."""
    if frames.channels > COLOURS:
        with torch.no_grad():
            frames.stem_conv.weight[:, COLOURS : frames.channels] = 0.0


def video_encoder(module: VideoEncoder | None) -> VideoEncoder:
    """Raises `RuntimeError` where the model was loaded without its video encoder."""
    if module is None:
        raise RuntimeError("this model was loaded without its video encoder")
    return module
