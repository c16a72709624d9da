from typing import cast

import pytest
import torch
from torch import Tensor, nn

from shared.models.residual import HighPass, ResidualFrames
from shared.models.temporal import TemporalConv, TemporalTransformer
from shared.models.video_encoder import (
    EfficientNetFrames,
    FrameBackbone,
    VideoEncoder,
    initialise,
    silence_flow,
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
    residual = HighPass()(ramp)[:, 3:, 4:-4, 4:-4]
    assert float(residual.abs().max()) < 1e-5


def test_temporal_conv_has_the_contracts_form() -> None:
    convolution = next(m for m in TemporalConv(1536).modules() if isinstance(m, nn.Conv1d))
    assert convolution.weight.shape == (2048, 1536, 3)


@torch.no_grad()
def test_the_transformer_takes_the_place_of_the_convolution() -> None:
    torch.manual_seed(1)
    temporal = TemporalTransformer(64).eval()
    features = torch.randn(2, 5, 64)
    assert temporal(features).shape == (2, 2048)
    assert not torch.allclose(temporal(features), temporal(features.flip(1)), atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["efficientnet", "residual"])
def test_flow_channels_start_without_effect_and_learn(kind: str) -> None:
    channels = 5
    made = (
        EfficientNetFrames(VIDEO_CONFIG, channels=channels)
        if kind == "efficientnet"
        else ResidualFrames(8, channels=channels)
    )
    initialise(made)
    silence_flow(made)
    shown = torch.cat([frames(1)[0], torch.zeros(5, 2, 224, 224)], dim=1)
    moved = shown.clone()
    moved[:, 3:] = 0.5
    with torch.enable_grad():
        made.eval()(moved).square().sum().backward()
    torch.testing.assert_close(made(shown), made(moved))
    gradient = made.stem_conv.weight.grad
    assert gradient is not None
    assert bool(gradient[:, 3:5].any())
