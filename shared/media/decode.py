"""Windows of a clip, decoded in a sandboxed child, in one pass and as they are ready."""

from collections.abc import Generator, Sequence

import numpy as np

from shared.contracts.base import Modality
from shared.contracts.jobs import MediaInfo
from shared.contracts.outcomes import BadMedia
from shared.media import sandbox, wire
from shared.media.limits import Limits
from shared.media.sources import ByteSource
from shared.media.windows import FRAMES, SAMPLE_RATE, AudioWindow, VideoWindow, frame_size

_BYTES_PER_S = 20e6
_REASONS = ("past_end", "not_started", "decode_failed")


def decode(
    source: ByteSource,
    info: MediaInfo,
    first_window: int,
    window_count: int,
    modalities: Sequence[Modality],
    limits: Limits,
) -> Generator[VideoWindow | AudioWindow, None, None]:
    """Yield each window of [first_window, first_window + window_count) once per modality.

    Ascending within a modality, as soon as it is finished. t = 0 is `info.start_s`. The frame at
    t is the one on display then: the last with a timestamp <= t. With `info.indexed` only the
    bytes from the keyframe before the segment are read. A part that cannot be decoded gives
    windows with reason `decode_failed` and the rest goes on. Closing the generator kills the child.

    Raises `BadMedia` (decoder_crashed, decoder_timeout, unreadable_media) after the windows that
    were ready, `ValueError` for a modality that `info` says is not there; `Transient` of the source
    passes through.
    """
    streams = {name: _stream(info, name) for name in sorted(set(modalities), reverse=True)}
    width, height = frame_size(info.width or 1, info.height or 1)
    task: wire.Header = {
        "task": "decode", "container": info.container, "allow": limits.model_dump(mode="json"),
        "streams": streams, "start_s": info.start_s, "first": first_window, "count": window_count,
        "indexed": info.indexed, "width": width, "height": height, "rotation": info.rotation,
        "fps": info.fps,
    }  # fmt: skip
    seconds = limits.decode_s + (0 if info.indexed else source.size / _BYTES_PER_S)
    due = dict.fromkeys(streams, first_window)
    end = first_window + window_count
    with sandbox.running(task, source, seconds=seconds, memory_bytes=limits.memory_bytes) as said:
        for header, body in said:
            window = _window(header, body, (FRAMES, height, width, 3))
            kind: Modality = "video" if isinstance(window, VideoWindow) else "audio"
            if due.get(kind) != window.index or window.index >= end:
                raise BadMedia("decoder_crashed", "a window out of turn")
            due[kind] = window.index + 1
            yield window
    if any(index != end for index in due.values()):
        raise BadMedia("decoder_crashed", "windows are missing")


def _stream(info: MediaInfo, modality: Modality) -> int:
    index = info.video_stream if modality == "video" else info.audio_stream
    if index is None:
        raise ValueError(f"these media have no {modality}")
    return index


def _window(header: wire.Header, body: bytearray, shape: tuple[int, ...]) -> VideoWindow | AudioWindow:
    """Only what has the promised shape; the child is not trusted."""
    index, reason, kind = header.get("index"), header.get("reason", ""), header.get("kind")
    if not isinstance(index, int) or kind not in ("video", "audio") or (reason and reason not in _REASONS):
        raise BadMedia("decoder_crashed", "no window")
    try:
        if kind == "video":
            frames = None if reason else np.frombuffer(body, np.uint8).reshape(shape)
            return VideoWindow(index, frames, reason)
        samples = None if reason else np.frombuffer(body, np.float32).reshape((SAMPLE_RATE,))
        return AudioWindow(index, samples, min(SAMPLE_RATE, int(header.get("valid", 0))), reason)
    except (ValueError, TypeError) as error:
        raise BadMedia("decoder_crashed", "a window of another size") from error
