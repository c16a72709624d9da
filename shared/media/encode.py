"""Short, trusted clips as arrays and back as files: for making variants of the demo clip.

Nothing here is sandboxed: media of strangers go through `decode`.
"""

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

FPS, RATE = 25, 16_000
# Several threads, and the code that suits this processor best, would give other bytes from run to run.
_REPEATABLE = {"threads": "1", "crf": "23", "x264-params": "cpu-independent=1"}
Frames = NDArray[np.uint8]  # (n, height, width, 3) RGB at 25 FPS
Samples = NDArray[np.float32]  # (m,) mono at 16 kHz in [-1, 1]


def read_clip(path: Path) -> tuple[Frames, Samples]:
    """The whole picture and sound of a short clip at 25 FPS."""
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE)
    with av.open(str(path)) as container:
        frames = np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)]).astype(np.uint8)
    with av.open(str(path)) as container:
        parts = [r.to_ndarray()[0] for f in container.decode(audio=0) for r in resampler.resample(f)]
    return frames, np.concatenate(parts).astype(np.float32)


def write_clip(frames: Frames | None, samples: Samples | None) -> bytes:
    """An MP4 (H.264 and AAC). The same input gives the same bytes."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        packets: list[Iterator[Any]] = []
        if frames is not None:
            video = container.add_stream("libx264", rate=FPS, options=_REPEATABLE)
            video.height, video.width = frames.shape[1] // 2 * 2, frames.shape[2] // 2 * 2
            video.pix_fmt = "yuv420p"
            packets.append(_video_packets(video, frames[:, : video.height, : video.width]))
        if samples is not None:
            audio = container.add_stream("aac", rate=RATE, layout="mono")
            packets.append(_audio_packets(audio, samples))
        for stream in packets:
            for packet in stream:
                container.mux(packet)
    return out.getvalue()


def _video_packets(stream: av.VideoStream, frames: Frames) -> Iterator[Any]:
    for i, pixels in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        frame.pts, frame.time_base = i, Fraction(1, FPS)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _audio_packets(stream: av.AudioStream, samples: Samples) -> Iterator[Any]:
    for start in range(0, len(samples), 1024):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        yield from stream.encode(frame)
    yield from stream.encode(None)
