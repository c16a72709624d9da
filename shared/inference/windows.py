"""What a worker knows of one planned window, before and after the model."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from shared.contracts.base import Modality
from shared.contracts.embeddings import Embedding, Tensors
from shared.contracts.jobs import SegmentPlanned
from shared.media.windows import ABSENT_REASONS

T = TypeVar("T")
# Nothing went wrong, there is just nothing there; every other reason is a failure.
ABSENT = ABSENT_REASONS | {"no_face", "no_speech"}


@dataclass(frozen=True)
class Window(Generic[T]):
    """A decoded window: `payload` is what to encode, or `reason` (of `errors.ERRORS`) why there is none."""

    index: int
    payload: T | None = None
    reason: str = ""
    speech: float | None = None
    faces: int | None = None


class Branch(Protocol[T]):
    """What one modality brings to `SegmentHandler`."""

    @property
    def modality(self) -> Modality: ...

    def windows(self, segment: SegmentPlanned) -> Generator[Window[T], None, None]:
        """Decodes, in another thread. Raises `BadMedia` (what came before stands) or `Transient`."""

    def weight(self, payload: T) -> int:
        """How many of the model's inputs it makes: a window with three faces weighs 3."""

    def runtime(self, digest: str) -> str:
        """The runtime of the bundle with that digest. Raises `InvalidRecord("wrong_bundle")`."""

    def encode(self, digest: str, payloads: Sequence[T]) -> Sequence[Tensors]:
        """One inference batch: each payload's tensors, for its record."""


def status_of(reason: str) -> Literal["ok", "absent", "failed"]:
    """The status of a record with that reason; "" is ok."""
    if not reason:
        return "ok"
    return "absent" if reason in ABSENT else "failed"


def record(
    segment: SegmentPlanned, modality: Modality, window: Window[T], runtime: str, tensors: Tensors
) -> Embedding:
    """The window's record. No tensors unless it is ok."""
    return Embedding(
        job_id=segment.job_id, window_index=window.index, modality=modality,
        status=status_of(window.reason), bundle_digest=segment.bundle_digest, runtime=runtime,
        reason=window.reason, speech=window.speech, faces=window.faces, tensors=tensors,
    )
