"""The map says where the score comes from, through the whole model."""

from functools import cache
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from services.explain.gradcam import attribute
from shared.models.bundle import load_bundle
from shared.models.detector import Detector

SPEECH = np.ones(50, np.uint8)


class CornerDetector:
    """Scores how red the frames are, squared; its last stage sees 8 x 8 cells."""

    def __init__(self) -> None:
        self.last_conv = nn.Conv2d(3, 2, 28, stride=28, bias=False)
        weight = torch.zeros(2, 3, 28, 28)
        weight[0, 0] = 1 / 28**2
        self.last_conv.weight = nn.Parameter(weight, requires_grad=False)

    def frames_tensor(self, crops: NDArray[np.uint8]) -> Tensor:
        return torch.from_numpy(crops).permute(0, 1, 4, 2, 3).float() / 255

    def fake_score(self, frames: Tensor, samples: object, speech: object) -> Tensor:
        cells: Tensor = self.last_conv(frames[0])
        return torch.mean(cells[:, 0] ** 2)


@cache
def compact() -> Detector:
    return load_bundle("compact", dtype="float32", threads=1).detector


def _crops(seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (5, 224, 224, 3), dtype=np.uint8)


def _sound(seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 0.1, 16_000).astype(np.float32)


def test_hiding_what_the_map_shows_changes_the_score_more_than_hiding_elsewhere() -> None:
    crops = np.full((5, 224, 224, 3), 10, np.uint8)
    crops[:, 28:84, 140:196, 0] = 240
    detector = CornerDetector()
    found = attribute(cast(Detector, detector), crops, None, None, with_sound=False)
    assert found.maps is not None
    strong, weak = found.maps >= 0.5, found.maps < 0.1

    def drop(hidden: NDArray[np.bool_]) -> float:
        masked = np.where(hidden[..., None], 0, crops).astype(np.uint8)
        scores = [float(detector.fake_score(detector.frames_tensor(c[None]), 0, 0)) for c in (crops, masked)]
        return scores[0] - scores[1]

    assert drop(strong) > 10 * drop(weak)
    assert found.maps[0, 56, 168] == found.maps[0].max()


def test_each_frame_is_normalised_to_one_and_keeps_its_energy() -> None:
    found = attribute(compact(), _crops(), _sound(), SPEECH, with_sound=False)
    assert found.maps is not None and found.energy is not None
    assert found.maps.shape == (5, 224, 224) and found.energy.shape == (5,)
    assert found.maps.min() >= 0 and found.maps.max() <= 1
    assert (found.energy >= 0).all()


def test_the_sound_changes_the_map_since_the_gradient_passes_fusion() -> None:
    quiet = attribute(compact(), _crops(), _sound(1), SPEECH, with_sound=False)
    other = attribute(compact(), _crops(), _sound(2) * 5, SPEECH, with_sound=False)
    assert quiet.energy is not None and other.energy is not None
    assert not np.array_equal(quiet.energy, other.energy)


def test_the_same_window_gives_the_same_bytes() -> None:
    one, two = (attribute(compact(), _crops(), _sound(), SPEECH, with_sound=True) for _ in range(2))
    assert one.maps is not None and two.maps is not None
    assert one.sound_gradient is not None and two.sound_gradient is not None
    assert one.maps.tobytes() == two.maps.tobytes()
    assert one.sound_gradient.tobytes() == two.sound_gradient.tobytes()


def test_a_window_of_sound_alone_gets_a_gradient_and_no_map() -> None:
    found = attribute(compact(), None, _sound(), SPEECH, with_sound=True)
    assert found.maps is None
    assert found.sound_gradient is not None and np.abs(found.sound_gradient).max() > 0


def test_a_window_of_picture_alone_gets_a_map_and_no_sound() -> None:
    found = attribute(compact(), _crops(), None, None, with_sound=True)
    assert found.maps is not None and found.sound_gradient is None


def test_an_empty_window_gets_nothing() -> None:
    found = attribute(compact(), None, None, None, with_sound=True)
    assert found.maps is None and found.sound_gradient is None
