"""Joined windows to scores: embedding records in, `ScoredWindow` out. Pure but for the judge's model."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.fusion.entries import Part, Pending, ScoredWindow
from services.fusion.judge import Judge
from shared.contracts.base import Degradation, Modality
from shared.contracts.embeddings import Embedding
from shared.contracts.outcomes import InvalidRecord
from shared.contracts.results import Probability, Transform, WindowScored
from shared.models.windows import AUDIO_DIM, FRAMES, VIDEO_DIM, WindowInput, WindowOutput

log = logging.getLogger(__name__)
DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Joined:
    """A window whose planned records are all there, or as many as there will be (None: missing)."""

    window: int
    modalities: tuple[Modality, ...]
    video: Embedding | None
    audio: Embedding | None

    def of(self, modality: Modality) -> Embedding | None:
        return self.video if modality == "video" else self.audio


def check(embedding: Embedding) -> None:
    """Refuses tensors that the model would choke on. Raises `InvalidRecord("malformed")`."""
    if embedding.status != "ok":
        return
    tensors = embedding.tensors
    if embedding.modality == "video":
        faces = tensors["embedding"].shape[0] if tensors["embedding"].ndim == 2 else 0
        good = faces > 0 and tensors["embedding"].shape[1] == VIDEO_DIM
        good = good and tensors["transforms"].shape == (faces, FRAMES, 2, 3)
        floats = [tensors["embedding"], tensors["transforms"]]
    else:
        tokens, mask = tensors["tokens"], tensors["mask"]
        good = tokens.ndim == 2 and tokens.shape[0] > 0 and tokens.shape[1] == AUDIO_DIM
        good = good and mask.shape == tokens.shape[:1]
        floats = [tokens]
    if not good:
        shapes = {name: tensor.shape for name, tensor in tensors.items()}
        raise InvalidRecord("malformed", f"{embedding.modality} tensors of shapes {shapes}")
    if not all(np.isfinite(tensor).all() for tensor in floats):
        raise InvalidRecord("malformed", f"{embedding.modality} tensors are not finite")


def joined(pending: Pending, window: int, modalities: tuple[Modality, ...]) -> Joined:
    """The window's records, of the planned modalities only."""
    halves = {"video": pending.video, "audio": pending.audio}
    found = {m: Embedding.from_bytes(halves[m] or b"") for m in modalities if halves[m] is not None}
    return Joined(window, modalities, found.get("video"), found.get("audio"))


def score(judge: Judge, digest: str, windows: Sequence[Joined]) -> list[ScoredWindow]:
    """One batch through the model. What the model cannot score is `scoring_failed`, never an exception."""
    usable = [w for w in windows if _input(w) is not None]
    outputs: dict[int, WindowOutput | None] = {}
    try:
        results = judge.score(digest, [_input(w) or WindowInput() for w in usable]) if usable else []
        outputs = {id(w): result for w, result in zip(usable, results, strict=True)}
    except Exception:
        log.exception("a batch could not be scored; its windows are scored one by one")
        outputs = {id(w): _alone(judge, digest, w) for w in usable}
    return [_scored(w, outputs.get(id(w), WindowOutput())) for w in windows]


def to_event(job_id: str, scored: ScoredWindow, digest: str) -> WindowScored:
    """What is published of a scored window."""
    return WindowScored(
        job_id=job_id, window_index=scored.window, p_fake=scored.p_fake, interval=scored.interval,
        video=scored.video, audio=scored.audio, agreement=scored.agreement, speech=scored.speech,
        face=scored.faces, bundle_digest=digest,
        degraded=tuple(
            Degradation(modality=p.modality, reason=p.reason) for p in scored.parts if p.status != "ok"
        ),
    )


def _alone(judge: Judge, digest: str, window: Joined) -> WindowOutput | None:
    try:
        return judge.score(digest, [_input(window) or WindowInput()])[0]
    except Exception:
        log.exception("window %d could not be scored", window.window)
        return None


def _input(window: Joined) -> WindowInput | None:
    video = window.video.tensors["embedding"] if window.video and window.video.status == "ok" else None
    tokens = mask = None
    if window.audio and window.audio.status == "ok":
        tokens, mask = window.audio.tensors["tokens"], window.audio.tensors["mask"]
    return None if video is None and tokens is None else WindowInput(video, tokens, mask)


def _scored(window: Joined, output: WindowOutput | None) -> ScoredWindow:
    parts = tuple(_part(window, m, failed=output is None) for m in window.modalities)
    speech = _round(window.audio.speech) if window.audio else None
    faces = window.video.faces if window.video else None
    if output is None:
        return ScoredWindow(window=window.window, speech=speech, faces=faces, parts=parts)
    low_high = output.interval
    return ScoredWindow(
        window=window.window, p_fake=_round(output.p_fake),
        interval=None if low_high is None else (round(low_high[0], DECIMALS), round(low_high[1], DECIMALS)),
        video=_round(output.video), audio=_round(output.audio), agreement=_round(output.agreement),
        speech=speech, faces=faces, face=output.face_index,
        transforms=_transforms(window.video, output.face_index), parts=parts,
    )


def _part(window: Joined, modality: Modality, *, failed: bool) -> Part:
    embedding = window.of(modality)
    if embedding is None:
        return Part(modality=modality, status="missing", reason="missing")
    if failed and embedding.status == "ok":
        return Part(modality=modality, status="failed", reason="scoring_failed", runtime=embedding.runtime)
    return Part(
        modality=modality, status=embedding.status, reason=embedding.reason, runtime=embedding.runtime
    )


def _transforms(video: Embedding | None, face: int | None) -> tuple[Transform, ...]:
    if video is None or face is None or "transforms" not in video.tensors:
        return ()
    rows = video.tensors["transforms"][face].reshape(FRAMES, 6).tolist()
    return tuple((*(round(float(v), DECIMALS) for v in row),) for row in rows)  # type: ignore[misc]


def _round(value: Probability) -> Probability:
    return None if value is None else round(float(value), DECIMALS)
