from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.models.bundle import load_bundle
from shared.models.flow import REACH, optical_flow
from tests.support.model_bundles import faces, toy_bundle


def drifting(pixels: int) -> NDArray[np.uint8]:
    """(1, 5, 224, 224, 3): a smooth texture that moves to the right, by so many pixels a frame."""
    noise = np.random.default_rng(0).standard_normal((260, 260))
    texture = np.clip(127 + 400 * cv2.GaussianBlur(noise, (0, 0), 3), 0, 255)
    frames = [np.roll(texture, i * pixels, axis=1)[10:234, 10:234] for i in range(5)]
    return np.repeat(np.stack(frames)[None, ..., None], 3, axis=4).astype(np.uint8)


def test_flow_follows_the_motion() -> None:
    flow = optical_flow(drifting(4))
    assert flow.shape == (1, 5, 224, 224, 2)
    assert not flow[0, 0].any()
    middle = flow[0, 1:, 60:160, 60:160] * REACH
    assert abs(float(np.median(middle[..., 0])) - 4) < 0.5
    assert abs(float(np.median(middle[..., 1]))) < 0.5


def test_what_stands_still_has_no_flow() -> None:
    assert float(np.abs(optical_flow(drifting(0))).max()) < 1e-3


def test_the_flow_preset_starts_as_the_contracts_model(tmp_path: Path) -> None:
    plain, flowing = tmp_path / "plain", tmp_path / "flowing"
    toy_bundle(plain)
    toy_bundle(flowing, "contract-v1-flow")
    bundles = [load_bundle(str(f / "bundle"), device="cpu", dtype="float32") for f in (plain, flowing)]
    crops = faces(1)
    first, second = (bundle.detector for bundle in bundles)
    assert second.frames_tensor(crops).shape == (1, 5, 5, 224, 224)
    weights = [b.manifest.sizes["frames"] for b in bundles]
    assert weights == [[5, 3, 224, 224], [5, 5, 224, 224]]
    features = [d._model.video.frames(d.frames_tensor(crops)[0]) for d in (first, second) if d._model.video]
    np.testing.assert_allclose(features[0].numpy(), features[1].numpy(), atol=1e-5)
