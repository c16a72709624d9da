"""One window through the scorer, and the differentiable path of the whole model."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.models.audio_encoder import token_encoder
from shared.models.calibration import sigmoid
from shared.models.model import DeepfakeModel, FusionScorer, fusion_scorer
from shared.models.schema import BundleManifest
from shared.models.video_encoder import video_encoder
from shared.models.windows import AUDIO_DIM, VIDEO_DIM, WindowInput, WindowOutput, agreement

_TAILS = (0.05, 0.95)


def score_window(
    scorer: FusionScorer, window: WindowInput, manifest: BundleManifest, device: torch.device
) -> WindowOutput:
    """The face with the highest p_fake speaks for the window.

    Each face is a forward of one row: products of few rows would depend on how many there are.
    """
    audio = _sound(window, device)
    if window.video is None or not len(window.video):
        return WindowOutput() if audio is None else _score(scorer, None, audio, manifest)
    faces = torch.from_numpy(np.array(window.video, np.float32)).to(device)
    outputs = [_score(scorer, face.clone(), audio, manifest) for face in faces]
    best = max(range(len(outputs)), key=lambda i: (outputs[i].p_fake or 0.0, outputs[i].video or 0.0, -i))
    return replace(outputs[best], face_index=best)


def _sound(window: WindowInput, device: torch.device) -> tuple[Tensor, Tensor] | None:
    """Tokens (1, A, 512) and mask (1, A) bool; None where there is no speech: silence decides nothing."""
    if window.audio is None:
        return None
    tokens = torch.from_numpy(np.array(window.audio, np.float32))[None].to(device)
    mask = torch.ones(tokens.shape[:2], dtype=torch.bool, device=device)
    if window.mask is not None:
        mask = torch.from_numpy(np.array(window.mask)).to(device).bool()[None]
    return (tokens, mask) if bool(mask.any()) else None


def _score(
    scorer: FusionScorer, face: Tensor | None, sound: tuple[Tensor, Tensor] | None, manifest: BundleManifest
) -> WindowOutput:
    weights, scale = manifest.modality_weights, manifest.calibration
    use_video = face is not None and weights.get("video", 1.0) > 0
    use_audio = sound is not None and weights.get("audio", 1.0) > 0
    scores = scorer(*_row(face, sound, use_video, use_audio, scorer.absent.video.device))
    video = None if face is None else sigmoid(scores.video.item() / scale.video_temperature)
    audio = None if sound is None else sigmoid(scores.audio.item() / scale.audio_temperature)
    both = None if video is None or audio is None else agreement(video, audio)
    if not (use_video or use_audio):
        return WindowOutput(video=video, audio=audio, agreement=both)
    p_fake = sigmoid((scores.fused.item() + scale.bias) / scale.temperature)
    members = [sigmoid((one + scale.bias) / scale.temperature) for one in scores.members[0].tolist()]
    low, high = (float(q) for q in np.quantile(members, _TAILS))
    seen = scores.attention if use_video and use_audio else None
    return WindowOutput(
        p_fake=p_fake, interval=(min(low, p_fake), max(high, p_fake)),
        video=video, audio=audio, agreement=both,
        attention=None if seen is None else seen[0].float().cpu().numpy(),
    )


def _row(
    face: Tensor | None, sound: tuple[Tensor, Tensor] | None, use_video: bool, use_audio: bool,
    device: torch.device,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    video = torch.zeros(1, 1, VIDEO_DIM, device=device) if face is None else face.view(1, 1, VIDEO_DIM)
    audio, mask = sound or (
        torch.zeros(1, 1, AUDIO_DIM, device=device), torch.zeros(1, 1, dtype=torch.bool, device=device)
    )
    used = torch.tensor([[use_video], [use_audio]], device=device)
    return video, audio, mask, used[0], used[1]


def fake_logit(
    model: DeepfakeModel,
    manifest: BundleManifest,
    frames: Tensor | None,
    samples: Tensor | None,
    mask: NDArray[np.uint8] | None,
    device: torch.device,
) -> Tensor:
    """See `Detector.fake_score`; mask: (1, A) of a full window. Returns a scalar logit."""
    weights = manifest.modality_weights
    with torch.enable_grad():
        face = None
        if frames is not None:
            # Without this, frozen weights would leave no graph for a hook on `last_conv`.
            tracked = frames if frames.requires_grad else frames.detach().requires_grad_()
            face = video_encoder(model.video)(tracked.to(device)).float()[0]
        sound = None
        if samples is not None and (mask is None or mask.any()):
            tokens = token_encoder(model.audio)(samples[None].to(device)).float()
            heard = torch.ones(tokens.shape[:2], dtype=torch.bool, device=device)
            if mask is not None:
                heard = torch.from_numpy(mask).to(device).bool()[:, : tokens.shape[1]]
            sound = (tokens, heard)
        use_video = face is not None and weights.get("video", 1.0) > 0
        use_audio = sound is not None and weights.get("audio", 1.0) > 0
        scores = fusion_scorer(model.scorer)(*_row(face, sound, use_video, use_audio, device))
        fused: Tensor = scores.fused[0]
        return fused
