"""Audio windows from packets: 16 kHz mono on the common clock."""

import math
from collections.abc import Iterator

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from shared.media import wire
from shared.media.container import MediaPacket, seconds, stamp
from shared.media.mono import to_mono
from shared.media.windows import SAMPLE_RATE

Output = tuple[wire.Header, list[wire.Buffer]]
_GAP_S = 0.04  # jitter of timestamps below this is not a gap
_LEAD_S = 0.1  # heard before the segment, so that decoder and filter have settled


class Sound:
    """One segment's windows. Positions are samples of 16 kHz after t = 0."""

    def __init__(self, stream: AudioStream, segment: tuple[float, int, int]) -> None:
        self._stream, (self._zero, self._first, count) = stream, segment
        self._next, self._end = self._first, self._first + count
        self._buffers: dict[int, NDArray[np.float32]] = {}
        self._failed: set[int] = set()
        self._resampler: av.AudioResampler | None = None
        self._rate = 0
        self._run_start = 0.0  # seconds, of the first sample of the contiguous run
        self._run_in = 0  # source samples given to the resampler in this run
        self._cursor: int | None = None  # where the next resampled sample goes
        self._written = -(1 << 62)  # nothing before this is written again
        self._begun: int | None = None
        self._lost_from: float | None = None  # damage whose end is not known yet
        self.done = False

    def feed(self, packet: MediaPacket) -> Iterator[Output]:
        """Packets well before the segment are not decoded."""
        at = stamp(packet)
        if at is not None and at - self._zero < self._first - 2.0:
            return
        if packet.is_corrupt:
            self._lose(at)
        try:
            frames = self._stream.codec_context.decode(packet)
        except (av.error.FFmpegError, ValueError):
            self._lose(at)
            return
        for frame in frames:
            self._take(frame)
        yield from self._ready()

    def damage(self) -> None:
        """The file is damaged here; sound from the last good sample to the next one is lost."""
        self._lose(None)

    def finish(self) -> Iterator[Output]:
        """At the end of the stream: whatever is left in decoder and filter, then the rest."""
        try:
            frames = self._stream.codec_context.decode(None)
        except (av.error.FFmpegError, ValueError):
            frames = []
        for frame in frames:
            self._take(frame)
        self._drain()
        if self._lost_from is not None:
            self._fail(self._lost_from, self._lost_from + _GAP_S)
        while self._next < self._end:
            yield self._window()
        self.done = True

    def _lose(self, at: float | None) -> None:
        if self._lost_from is None:
            now = self._run_start + self._run_in / self._rate if self._rate else float(self._first)
            self._lost_from = now if at is None else at - self._zero

    def _take(self, frame: AudioFrame) -> None:
        rate = frame.sample_rate
        expected = self._run_start + self._run_in / self._rate if self._rate else None
        stamped = seconds(frame.pts, self._stream)
        at = stamped - self._zero if stamped is not None else expected
        if at is None:
            at = 0.0
        samples = to_mono(frame)
        if not np.isfinite(samples).all():
            self._fail(at, at + samples.size / rate)
            samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
        if self._lost_from is not None:
            self._fail(min(self._lost_from, at), max(at, self._lost_from + 0.001))
            self._lost_from = None
        if expected is None or rate != self._rate or abs(at - expected) > _GAP_S:
            lead = self._first - _LEAD_S
            skip = max(0, round((lead - at) * rate))  # a fixed start, wherever reading began
            if skip >= samples.size:
                return
            self._begin(at + skip / rate, rate)
            samples = samples[skip:]
        self._run_in += samples.size
        self._resample(samples)

    def _begin(self, at: float, rate: int) -> None:
        self._drain()
        self._rate, self._run_start, self._run_in = rate, at, 0
        self._cursor = round(at * SAMPLE_RATE)
        self._resampler = av.AudioResampler("fltp", "mono", SAMPLE_RATE) if rate != SAMPLE_RATE else None
        if self._begun is None:
            self._begun = self._cursor

    def _resample(self, samples: NDArray[np.float32]) -> None:
        if self._resampler is None:
            self._write(samples)
            return
        frame = AudioFrame.from_ndarray(samples[None, :], "fltp", "mono")
        frame.sample_rate = self._rate
        for out in self._resampler.resample(frame):
            self._write(out.to_ndarray()[0])

    def _drain(self) -> None:
        """The filter's tail belongs to the run that ends."""
        if self._resampler is not None and self._run_in:
            for out in self._resampler.resample(None):
                self._write(out.to_ndarray()[0])
        self._resampler = None

    def _write(self, samples: NDArray[np.float32]) -> None:
        """At the cursor; what was written before stays (timestamps may go backwards)."""
        if self._cursor is None:
            return
        begin, end = self._cursor, self._cursor + samples.size
        self._cursor = end
        low = max(begin, self._written, self._next * SAMPLE_RATE)
        high = min(end, self._end * SAMPLE_RATE)
        while low < high:
            index, inside = divmod(low, SAMPLE_RATE)
            size = min(SAMPLE_RATE - inside, high - low)
            buffer = self._buffers.setdefault(index, np.zeros(SAMPLE_RATE, np.float32))
            buffer[inside : inside + size] = np.clip(samples[low - begin : low - begin + size], -1.0, 1.0)
            low += size
        self._written = max(self._written, end)

    def _fail(self, begin: float, end: float) -> None:
        low, high = max(math.floor(begin), self._next), min(math.ceil(end), self._end)
        self._failed.update(range(low, high))

    def _ready(self) -> Iterator[Output]:
        while self._next < self._end and self._written >= (self._next + 1) * SAMPLE_RATE:
            yield self._window()
        self.done = self._next >= self._end

    def _window(self) -> Output:
        index = self._next
        self._next += 1
        samples = self._buffers.pop(index, None)
        header: wire.Header = {"kind": "audio", "index": index}
        if index in self._failed:
            return {**header, "reason": "decode_failed"}, []
        if self._begun is not None and self._begun >= (index + 1) * SAMPLE_RATE:
            return {**header, "reason": "not_started"}, []
        valid = min(SAMPLE_RATE, max(0, self._written - index * SAMPLE_RATE))
        if valid == 0:
            return {**header, "reason": "past_end"}, []
        if samples is None:
            samples = np.zeros(SAMPLE_RATE, np.float32)  # a gap: silence
        return {**header, "valid": valid}, [samples.data]
