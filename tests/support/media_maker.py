"""Small synthetic clips, made on the fly. Each frame carries its number, each second its own tone."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

BITS = 10
TICKS = 90_000  # a second, in video timestamps
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Recipe:
    """What to make. `times` gives the timestamp in seconds of frame n, None drops it."""

    container: str = "mp4"
    seconds: float = 3.0
    fps: int = 30
    size: tuple[int, int] = (160, 96)
    video: str | None = "libx264"
    audio: str | None = "aac"
    rate: int = 44_100
    layout: str = "mono"
    rotation: int = 0
    video_start: float = 0.0
    audio_start: float = 0.0
    gop: int = 15
    b_frames: int = 0
    pix_fmt: str = "yuv420p"
    times: Callable[[int], float | None] | None = None
    options: tuple[tuple[str, str], ...] = ()


def make(recipe: Recipe | None = None, **changes: Any) -> bytes:
    """The bytes of a clip."""
    recipe = recipe or Recipe(**changes)
    out = io.BytesIO()
    with av.open(out, "w", format=recipe.container, options=dict(recipe.options)) as container:
        picture = _picture_stream(container, recipe) if recipe.video else None
        sound = _sound_stream(container, recipe) if recipe.audio else None
        packets = []
        if picture is not None:
            for number in range(round(recipe.seconds * recipe.fps)):
                at = recipe.times(number) if recipe.times else number / recipe.fps
                if at is not None:
                    frame = av.VideoFrame.from_ndarray(numbered(number, recipe.size), "rgb24")
                    frame.time_base = _clock(recipe)
                    frame.pts = round((recipe.video_start + at) / frame.time_base)
                    packets += picture.encode(frame)
            packets += picture.encode(None)
        if sound is not None:
            for tone in _tones(recipe):
                packets += sound.encode(tone)
            packets += sound.encode(None)
        packets.sort(key=lambda packet: float(packet.dts * packet.time_base))
        for packet in packets:
            container.mux(packet)
    return out.getvalue()


def numbered(number: int, size: tuple[int, int]) -> Pixels:
    """A picture (H, W, 3) whose left part says `number` in rows of black and white, top bit first.

    The right third is red above and blue below, so that turning and mirroring show.
    """
    width, height = size
    picture = np.full((height, width, 3), 128, np.uint8)
    picture[: height // 2, 2 * width // 3 :] = (200, 30, 30)
    picture[height // 2 :, 2 * width // 3 :] = (30, 30, 200)
    edges = np.linspace(0, height, BITS + 1).astype(int)
    for bit in range(BITS):
        picture[edges[bit] : edges[bit + 1], : 2 * width // 3] = 235 if number >> (BITS - 1 - bit) & 1 else 16
    return picture


def number_of(picture: Pixels) -> int:
    """The number that `numbered` put there."""
    height, width = picture.shape[:2]
    edges = np.linspace(0, height, BITS + 1).astype(int)
    rows = [picture[edges[bit] : edges[bit + 1], width // 6 : width // 2].mean() for bit in range(BITS)]
    return sum(int(mean > 128) << (BITS - 1 - bit) for bit, mean in enumerate(rows))


def pitch(second: int) -> float:
    """The tone of a second, Hz."""
    return 300.0 + 100.0 * second


def pitch_of(samples: NDArray[np.float32], rate: int = 16_000) -> float:
    """The strongest frequency, Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    return float(np.argmax(spectrum) * rate / samples.size)


def _picture_stream(container: Any, recipe: Recipe) -> Any:
    stream = container.add_stream(recipe.video, rate=recipe.fps)
    stream.width, stream.height = recipe.size
    stream.pix_fmt = recipe.pix_fmt
    stream.codec_context.time_base = _clock(recipe)
    stream.codec_context.gop_size = recipe.gop
    stream.codec_context.max_b_frames = recipe.b_frames
    stream.codec_context.thread_count = 1
    if recipe.video == "libx264":
        stream.codec_context.options = {"preset": "ultrafast", "sc_threshold": "0", "crf": "20"}
    if recipe.rotation:
        stream.set_display_rotation(recipe.rotation)
    return stream


def _clock(recipe: Recipe) -> Fraction:
    """Old codecs know no finer clock than the frame rate."""
    return Fraction(1, recipe.fps if recipe.video in ("mpeg4", "mpeg2video") else TICKS)


def _sound_stream(container: Any, recipe: Recipe) -> Any:
    stream = container.add_stream(recipe.audio, rate=recipe.rate)
    stream.codec_context.layout = recipe.layout
    return stream


def _tones(recipe: Recipe) -> list[av.AudioFrame]:
    at = np.arange(round(recipe.seconds * recipe.rate)) / recipe.rate
    tone = (0.3 * np.sin(2 * np.pi * (300.0 + 100.0 * np.floor(at)) * at)).astype(np.float32)
    channels = len(av.AudioLayout(recipe.layout).channels)
    frames = []
    for begin in range(0, tone.size, 1024):
        part = np.repeat(tone[begin : begin + 1024], channels)[None, :]
        frame = av.AudioFrame.from_ndarray(part, "flt", recipe.layout)
        frame.sample_rate, frame.time_base = recipe.rate, Fraction(1, recipe.rate)
        frame.pts = begin + round(recipe.audio_start * recipe.rate)
        frames.append(frame)
    return frames
