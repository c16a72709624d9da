"""The demo clip in forms that are rare but right: turned, uneven, late, with other sound."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np

from shared.media.encode import FPS, RATE, Frames, Samples

TICKS = 90_000  # a second, in video timestamps


@dataclass(frozen=True)
class Odd:
    """How the file differs from a plain one. `times` gives the second at which frame n is shown."""

    container: str = "mp4"
    video: str = "libx264"
    pix_fmt: str = "yuv420p"
    rotation: int = 0  # degrees counter-clockwise that a player turns the stored picture by
    times: Callable[[int], float] = lambda n: n / FPS
    audio: str = "aac"
    rate: int = RATE
    layout: str = "mono"
    audio_start: float = 0.0


def odd_clip(frames: Frames | None, samples: Samples | None, odd: Odd) -> bytes:
    """The bytes of a clip with these pictures (25 a second) and this sound (16 kHz)."""
    out = io.BytesIO()
    with av.open(out, "w", format=odd.container) as container:
        parts: list[Iterator[Any]] = []
        if frames is not None:
            parts.append(_pictures(_video_stream(container, frames, odd), frames, odd))
        if samples is not None:
            parts.append(_sound(_sound_stream(container, odd), samples, odd))
        packets = [packet for part in parts for packet in part]
        packets.sort(key=lambda packet: float(packet.dts * packet.time_base))
        for packet in packets:
            container.mux(packet)
    return out.getvalue()


def _video_stream(container: Any, frames: Frames, odd: Odd) -> Any:
    stream = container.add_stream(odd.video, rate=FPS)
    stream.height, stream.width = frames.shape[1:3]
    stream.pix_fmt = odd.pix_fmt
    stream.codec_context.time_base = Fraction(1, TICKS)
    stream.codec_context.thread_count = 1
    if odd.rotation:
        stream.set_display_rotation(odd.rotation)
    return stream


def _sound_stream(container: Any, odd: Odd) -> Any:
    stream = container.add_stream(odd.audio, rate=odd.rate)
    stream.codec_context.layout = odd.layout
    return stream


def _pictures(stream: Any, frames: Frames, odd: Odd) -> Iterator[Any]:
    for number, pixels in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        frame.time_base = Fraction(1, TICKS)
        frame.pts = round(odd.times(number) * TICKS)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _sound(stream: Any, samples: Samples, odd: Odd) -> Iterator[Any]:
    channels = len(av.AudioLayout(odd.layout).channels)
    resampler = av.AudioResampler("fltp", odd.layout, odd.rate)
    mono = np.repeat(samples[:, None], channels, 1).reshape(1, -1)
    whole = av.AudioFrame.from_ndarray(np.ascontiguousarray(mono), format="flt", layout=odd.layout)
    whole.sample_rate, whole.time_base, whole.pts = RATE, Fraction(1, RATE), 0
    size = stream.codec_context.frame_size or 1024
    fifo, at = av.AudioFifo(), round(odd.audio_start * odd.rate)
    for part in (*resampler.resample(whole), *resampler.resample(None)):
        part.pts = None
        fifo.write(part)
    while (frame := fifo.read(size, partial=True)) is not None:
        frame.sample_rate, frame.time_base, frame.pts = odd.rate, Fraction(1, odd.rate), at
        at += frame.samples
        yield from stream.encode(frame)
    yield from stream.encode(None)
