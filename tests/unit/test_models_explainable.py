"""What explain relies on: the fake score of the whole model, differentiable down to its inputs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from shared.models.bundle import load_bundle
from shared.models.detector import Detector
from shared.models.windows import WindowInput
from tests.support.model_bundles import compact, faces, sounds, toy_bundle


@pytest.fixture(scope="module", params=["compact", "contract-v1"])
def detector(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Detector:
    if request.param == "compact":
        return compact().detector
    folder: Path = tmp_path_factory.mktemp("toy")
    toy_bundle(folder)
    return load_bundle(str(folder / "bundle"), dtype="float32", device="cpu").detector


def sound() -> Tensor:
    return torch.from_numpy(sounds(1)[0])


def test_gradients_reach_the_last_convolution_and_both_inputs(detector: Detector) -> None:
    seen: list[Tensor] = []

    def keep(_module: object, _inputs: object, output: Tensor) -> None:
        output.retain_grad()
        seen.append(output)

    handle = detector.last_conv.register_forward_hook(keep)
    frames, samples = detector.frames_tensor(faces(1)).requires_grad_(), sound().requires_grad_()
    score = detector.fake_score(frames, samples)
    score.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    handle.remove()
    assert score.shape == ()
    for gradient in (seen[0].grad, frames.grad, samples.grad):
        assert gradient is not None
        assert bool(gradient.any())
    assert seen[0].shape[0] == 5


def test_frames_that_ask_for_no_gradient_still_leave_a_graph(detector: Detector) -> None:
    assert detector.fake_score(detector.frames_tensor(faces(1)), None).requires_grad


def test_the_score_is_the_one_that_the_services_publish(detector: Detector) -> None:
    crops, samples = faces(1), sounds(1)
    window = WindowInput(
        video=detector.encode_video(crops), audio=detector.encode_audio(samples, np.array([16_000]))[0]
    )
    published = detector.score([window])[0].p_fake
    logit = detector.fake_score(detector.frames_tensor(crops), torch.from_numpy(samples[0]))
    assert published == pytest.approx(torch.sigmoid(logit).item(), abs=2e-3)  # embeddings are float16


def test_sound_without_speech_is_left_out(detector: Detector) -> None:
    frames = detector.frames_tensor(faces(1))
    silent = detector.fake_score(frames, sound(), np.zeros(50, np.uint8))
    assert torch.equal(silent, detector.fake_score(frames, None))


def test_a_short_window_of_sound_is_enough(detector: Detector) -> None:
    speech = np.ones(50, np.uint8)
    assert bool(torch.isfinite(detector.fake_score(None, sound()[:5_000], speech)))
