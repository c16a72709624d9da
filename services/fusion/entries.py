"""A window's entry in the store: the records that wait for their twin, or what they were scored to."""

from dataclasses import dataclass
from typing import Literal

from shared.contracts.base import Body, Modality
from shared.contracts.results import Interval, Probability, Transform

_PENDING, _SCORED = b"P", b"S"
_NONE = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Pending:
    """The embedding records as they came (safetensors), until the window is joined."""

    video: bytes | None = None
    audio: bytes | None = None

    def with_half(self, modality: Modality, value: bytes) -> "Pending":
        return Pending(value, self.audio) if modality == "video" else Pending(self.video, value)

    def to_bytes(self) -> bytes:
        video = self.video or b""
        size = _NONE if self.video is None else len(video)
        return b"".join((_PENDING, size.to_bytes(4, "little"), video, self.audio or b""))


class Part(Body):
    """What one planned modality brought to a window."""

    modality: Modality
    status: Literal["ok", "absent", "failed", "missing"]
    reason: str = ""
    runtime: str = ""


class ScoredWindow(Body):
    """A joined and scored window, with all that the verdict will need of it. Floats have 4 decimals.

    `face` is the index, among the window's `faces`, of the face with the highest score, and
    `transforms` are its 5 crops' maps (`shared.contracts.results.Evidence`).
    """

    window: int
    p_fake: Probability = None
    interval: Interval | None = None
    video: Probability = None
    audio: Probability = None
    agreement: Probability = None
    speech: float | None = None
    faces: int | None = None
    face: int | None = None
    transforms: tuple[Transform, ...] = ()
    parts: tuple[Part, ...] = ()

    def to_bytes(self) -> bytes:
        return _SCORED + self.model_dump_json(exclude_defaults=True).encode()


Entry = Pending | ScoredWindow


def read_entry(data: bytes) -> Entry:
    """The inverse of both `to_bytes`."""
    if data[:1] == _SCORED:
        return ScoredWindow.model_validate_json(data[1:])
    size = int.from_bytes(data[1:5], "little")
    if size == _NONE:
        return Pending(None, data[5:] or None)
    return Pending(data[5 : 5 + size], data[5 + size :] or None)
