"""One file of a data set, and what is said of it. Every loader yields these."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["video", "audio", "image"]
Label = Literal["real", "fake"]
Span = tuple[float, float]  # seconds from the file's start, [start, end)


class LayoutError(ValueError):
    """A data set that is not laid out as published. The message begins with the file or folder at fault."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


@dataclass(frozen=True)
class Item:
    """One video, sound or picture.

    `label` is of the whole file: fake as soon as any part is; None where nobody says. `spans` are
    the fake seconds: () of a real file, None where a fake one does not state them. The same per
    stream; a stream's label is None when it is absent or nobody says. Identities and pairs carry
    the name space of the recordings they come from ("voxceleb2:id00076"), so that two data sets
    made of the same people meet in one split.
    """

    path: Path
    kind: Kind
    label: Label | None
    dataset: str
    fake_type: str = "none"  # face_swap, reenactment, lip_sync, talking_head, gan, tts, vc, vocoder, ...
    method: str = ""  # the generator, as the source names it
    repo: str = ""  # where the file was published; the data set itself for the published ones
    identities: tuple[str, ...] = ()  # everyone whose face or voice went into it
    pair_id: str = ""  # shared by a real recording and the fakes made from it
    licence: str = ""  # as stated; "" when none is
    video_label: Label | None = None
    audio_label: Label | None = None
    spans: tuple[Span, ...] | None = None
    video_spans: tuple[Span, ...] | None = None
    audio_spans: tuple[Span, ...] | None = None
    split: str = ""  # train, dev, val or test, as published
    duration_s: float | None = None
    sha256: str = ""
    tags: tuple[str, ...] = ()

    @property
    def generator(self) -> str:
        """What made a fake: its source and method together, since repositories name methods freely."""
        return f"{self.repo}:{self.method}" if self.label == "fake" else ""
