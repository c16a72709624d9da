from typing import cast

import pytest
import torch
from torch import Tensor, nn

from shared.models.residual import HighPass, ResidualFrames
from shared.models.video_encoder import (
    EfficientNetFrames,
    FrameBackbone,
    TemporalConv,
    VideoEncoder,
    initialise,
)
from tests.support.model_bundles import VIDEO_CONFIG


@pytest.fixture(scope="module", params=["efficientnet", "residual"])
def encoder(request: pytest.FixtureRequest) -> VideoEncoder:
    torch.manual_seed(3)
    frames = EfficientNetFrames(VIDEO_CONFIG) if request.param == "efficientnet" else ResidualFrames(8)
    initialise(frames)
    return VideoEncoder(frames, TemporalConv(frames.features)).eval()


def frames(batch: int) -> Tensor:
    return torch.randn(batch, 5, 3, 224, 224, generator=torch.Generator().manual_seed(2))


@torch.no_grad()
def test_five_frames_give_one_embedding(encoder: VideoEncoder) -> None:
    assert encoder(frames(2)).shape == (2, 2048)


@torch.no_grad()
def test_the_last_convolution_is_fine_enough_to_show_a_place(encoder: VideoEncoder) -> None:
    seen: list[Tensor] = []
    handle = encoder.last_conv.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    encoder(frames(2))
    handle.remove()
    features = cast(FrameBackbone, encoder.frames).features
    assert seen[0].shape[:2] == (10, features)
    assert min(seen[0].shape[2:]) >= 7


@torch.no_grad()
def test_the_order_of_frames_matters(encoder: VideoEncoder) -> None:
    shown = frames(1)
    assert not torch.equal(encoder(shown), encoder(shown.flip(1)))


def test_every_weight_learns(encoder: VideoEncoder) -> None:
    encoder(frames(1)).square().mean().backward()
    idle = [name for name, p in encoder.named_parameters() if p.grad is None or not bool(p.grad.any())]
    encoder.zero_grad()
    assert idle == []


@torch.no_grad()
def test_the_residual_of_a_smooth_ramp_is_nothing() -> None:
    ramp = torch.linspace(-1, 1, 224).expand(1, 3, 224, 224)
    residual = HighPass(3)(ramp)[:, 3:, 4:-4, 4:-4]
    assert float(residual.abs().max()) < 1e-5


def test_temporal_conv_has_the_contracts_form() -> None:
    convolution = next(m for m in TemporalConv(1536).modules() if isinstance(m, nn.Conv1d))
    assert convolution.weight.shape == (2048, 1536, 3)
