"""Probing and decoding whole clips in tests."""

from shared.contracts.base import Modality
from shared.contracts.jobs import MediaInfo
from shared.contracts.outcomes import BadMedia
from shared.media.decode import decode
from shared.media.limits import Limits
from shared.media.probe import probe
from shared.media.sources import ByteSource, MemorySource
from shared.media.windows import AudioWindow, VideoWindow, count
from tests.support.media_maker import number_of, pitch_of


def look(data: bytes, limits: Limits | None = None) -> MediaInfo:
    return probe(MemorySource(data), "0" * 64, limits or Limits())


def refusal(data: bytes, limits: Limits | None = None) -> str:
    """The code that probing raises, "" if it does not."""
    try:
        look(data, limits)
    except BadMedia as error:
        return error.code
    return ""


def modalities(info: MediaInfo) -> list[Modality]:
    found: list[Modality] = []
    if info.has_video:
        found.append("video")
    if info.has_audio:
        found.append("audio")
    return found


def read(
    data: bytes | ByteSource, info: MediaInfo | None = None, first: int = 0, size: int | None = None
) -> tuple[list[VideoWindow], list[AudioWindow]]:
    """Windows of a clip, or of the part [first, first + size)."""
    source = MemorySource(data) if isinstance(data, bytes) else data
    info = info or probe(source, "0" * 64, Limits())
    size = count(info.duration_s) - first if size is None else size
    windows = list(decode(source, info, first, size, modalities(info), Limits()))
    pictures = [window for window in windows if isinstance(window, VideoWindow)]
    sounds = [window for window in windows if isinstance(window, AudioWindow)]
    assert not info.has_video or [w.index for w in pictures] == list(range(first, first + size))
    assert not info.has_audio or [w.index for w in sounds] == list(range(first, first + size))
    return pictures, sounds


def numbers(windows: list[VideoWindow]) -> list[list[int] | str]:
    """What is written on each frame of each window, or why there are none."""
    return [w.reason if w.frames is None else [number_of(frame) for frame in w.frames] for w in windows]


def pitches(windows: list[AudioWindow]) -> list[int | str]:
    """The tone of each window to the nearest 10 Hz, or why there is none."""
    return [w.reason if w.samples is None else round(pitch_of(w.samples), -1) for w in windows]  # type: ignore[misc]  # round to tens of a float
