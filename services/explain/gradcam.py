"""Where the faces looked fake, and which sound did: gradients of the whole model's fake score."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from shared.models.detector import Detector
from shared.models.windows import FRAME_SIZE


@dataclass(frozen=True)
class Attribution:
    """Of one window. `maps`: (5, 224, 224) float32, each frame's Grad-CAM in [0, 1], in pixels of the crop;
    `energy`: (5,) float32, how much each frame's map held before it was normalised; `sound_gradient`:
    (N,) float32, the fake score's gradient at each sample. None where that modality was not asked for."""

    maps: NDArray[np.float32] | None = None
    energy: NDArray[np.float32] | None = None
    sound_gradient: NDArray[np.float32] | None = None


def attribute(
    detector: Detector,
    crops: NDArray[np.uint8] | None,
    samples: NDArray[np.float32] | None,
    speech: NDArray[np.uint8] | None,
    *,
    with_sound: bool,
) -> Attribution:
    """crops: (5, 224, 224, 3) or None; samples: (N,) at 16 kHz or None; speech: (50,) mask of the samples.

    Grad-CAM (Selvaraju et al. 2017) on the last convolutional stage, for the fake logit of the whole
    model: the gradient passes fusion and the temporal encoder, so the sound changes the map. What lies
    before that stage needs no gradient and gets none, which is most of the cost saved.
    """
    frames = None if crops is None else detector.frames_tensor(crops[None])
    sound = None if samples is None else torch.from_numpy(np.array(samples, np.float32))
    if sound is not None and with_sound:
        sound.requires_grad_(True)
    with torch.enable_grad(), _last_stage(detector.last_conv) as kept:
        score = detector.fake_score(frames, sound, speech)
    wanted = kept + ([sound] if sound is not None and with_sound else [])
    if not score.requires_grad or not wanted:
        return Attribution()
    gradients = torch.autograd.grad(score, wanted, allow_unused=True)
    maps = energy = None
    if kept:
        maps, energy = _class_activation(kept[0].detach(), _or_zero(gradients[0], kept[0]))
    heard = _or_zero(gradients[-1], sound).numpy() if sound is not None and with_sound else None
    return Attribution(maps, energy, heard)


def _class_activation(
    activations: Tensor, gradients: Tensor
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Both (5, channels, h, w)."""
    weights = gradients.float().mean((2, 3), keepdim=True)
    cam = torch.relu((weights * activations.float()).sum(1, keepdim=True))
    energy = cam.mean((1, 2, 3))
    peak = cam.amax((1, 2, 3), keepdim=True)
    cam = torch.where(peak > 0, cam / peak.clamp_min(torch.finfo(cam.dtype).tiny), torch.zeros_like(cam))
    size = (FRAME_SIZE, FRAME_SIZE)
    full = nn.functional.interpolate(cam, size, mode="bilinear", align_corners=False)[:, 0]
    return full.clamp(0, 1).cpu().numpy(), energy.cpu().numpy()


@contextmanager
def _last_stage(module: nn.Module) -> Iterator[list[Tensor]]:
    """Turns the module's output into a leaf that gradients end at, and keeps it."""
    kept: list[Tensor] = []

    def cut(_: nn.Module, __: object, output: Tensor) -> Tensor:
        leaf = output.detach().requires_grad_(True)
        kept.append(leaf)
        return leaf

    handle = module.register_forward_hook(cut)
    try:
        yield kept
    finally:
        handle.remove()


def _or_zero(gradient: Tensor | None, like: Tensor | None) -> Tensor:
    if gradient is not None:
        return gradient.detach().cpu()
    return torch.zeros(()) if like is None else torch.zeros_like(like, device="cpu")
