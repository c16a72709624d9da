"""Video windows from packets: which frame is on display at each fifth of a second.

A frame counts as displayed at t if its timestamp is <= t + 2 ms (containers round to milliseconds).
"""

import math
from collections.abc import Iterator

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from shared.contracts.outcomes import BadMedia
from shared.media import wire
from shared.media.container import MediaPacket, seconds, stamp
from shared.media.geometry import Upright
from shared.media.windows import FRAMES

Output = tuple[wire.Header, list[wire.Buffer]]
_EPSILON_S = 0.002
_REORDER_S = 0.25  # frames shown shortly before a damaged one may have been predicted from it
_HELD_BYTES = 64 << 20
_MAX_SLOT_GAP_S = 10.0


class Picture:
    """One segment's windows. Times inside are seconds after t = 0."""

    def __init__(
        self,
        stream: VideoStream,
        segment: tuple[float, int, int],
        shape: tuple[int, int, int],
        fps: float | None,
        max_frames: int,
    ) -> None:
        self._stream, (self._zero, self._next, count) = stream, segment
        self._first, self._end = self._next, self._next + count
        self._upright, self._usual = Upright(*shape), 1 / fps if fps else 0.04
        self._left = max_frames
        self._held: list[MediaPacket] | None = []
        self._held_bytes = 0
        self._slots: dict[int, NDArray[np.uint8]] = {}
        self._failed: set[int] = set()
        self._slot = self._first * FRAMES  # the next to decide
        self._shown: VideoFrame | None = None
        self._picture: NDArray[np.uint8] | None = None
        self._at = self._until = -math.inf  # of the last good frame
        self._reached = -math.inf  # of the latest packet's end
        self._broken = False
        self._begun: float | None = None
        self.done = False

    def feed(self, packet: MediaPacket) -> Iterator[Output]:
        """Packets before the last keyframe that the segment needs are never decoded."""
        at = stamp(packet)
        if at is not None:
            length = seconds(packet.duration, packet.stream) or self._usual
            self._reached = max(self._reached, at - self._zero + length)
        if packet.is_corrupt:
            self.damage()
        if self._held is None:
            yield from self._decode(packet)
            return
        if packet.is_keyframe and at is not None and at - self._zero <= self._first + _EPSILON_S:
            self._held, self._held_bytes = [], 0
        self._held.append(packet)
        self._held_bytes += packet.size
        if (at is not None and at - self._zero > self._first) or self._held_bytes > _HELD_BYTES:
            yield from self._release()

    def damage(self) -> None:
        """What follows cannot be trusted until the next keyframe; nor can what came just before."""
        if not self._broken:
            self._broken = True
            self._fail(max(self._at, 0.0) - _REORDER_S, self._at)

    def finish(self) -> Iterator[Output]:
        """At the end of the stream: whatever is not decided yet."""
        yield from self._release()
        yield from self._decode(None)
        if self._broken:
            self._fail_from_slot(self._reached)
        elif self._shown is not None:
            self._show_until(self._until - _EPSILON_S)
        yield from self._ready(math.inf)
        self.done = True

    def _release(self) -> Iterator[Output]:
        held, self._held = self._held or [], None
        for packet in held:
            yield from self._decode(packet)

    def _decode(self, packet: MediaPacket | None) -> Iterator[Output]:
        if self.done:
            return
        try:
            frames = self._stream.codec_context.decode(packet)
        except av.error.EOFError:
            return
        except (av.error.FFmpegError, ValueError):
            self.damage()
            return
        for frame in frames:
            self._left -= 1
            if self._left < 0:
                raise BadMedia("decoder_timeout", "too many frames")
            self._take(frame)
            yield from self._ready(self._at)

    def _take(self, frame: VideoFrame) -> None:
        at = self._time_of(frame)
        if frame.is_corrupt:
            self.damage()
        if at <= self._at:
            return  # backwards: it would never be on display
        if self._broken:
            if frame.is_corrupt or not frame.key_frame:
                return
            self._broken = False
            self._fail_from_slot(at)
            self._shown = None
        if self._begun is None:
            self._begun = at
        if self._shown is not None:
            self._show_until(at - _EPSILON_S)
        self._shown, self._picture, self._at = frame, None, at
        self._until = at + (seconds(frame.duration, self._stream) or self._usual)
        if self._until > at + _MAX_SLOT_GAP_S:
            self._until = at + self._usual

    def _time_of(self, frame: VideoFrame) -> float:
        value = frame.pts if frame.pts is not None else frame.dts
        at = seconds(value, self._stream)
        if at is not None:
            return at - self._zero
        return self._until if self._until > -math.inf else 0.0

    def _show_until(self, end: float) -> None:
        """The frame on display takes every undecided slot before `end`."""
        stop = min(math.ceil(end * FRAMES - 1e-9), self._end * FRAMES)
        if stop > self._slot and self._shown is not None and self._picture is None:
            try:
                self._picture = self._upright(self._shown)
            except (av.error.FFmpegError, ValueError):
                self._failed.update(range(self._slot, stop))
                self._slot = stop
                return
        begun = math.ceil((self._begun or 0.0) * FRAMES - FRAMES * _EPSILON_S)
        for slot in range(self._slot, stop):
            if slot >= begun and self._picture is not None:
                self._slots[slot] = self._picture
            self._slot = slot + 1

    def _fail_from_slot(self, end: float) -> None:
        self._fail(self._slot / FRAMES, end)
        self._slot = max(self._slot, min(math.ceil((end - _EPSILON_S) * FRAMES), self._end * FRAMES))

    def _fail(self, begin: float, end: float) -> None:
        if end > -math.inf:
            low = max(math.ceil(begin * FRAMES - 1e-9), self._next * FRAMES)
            high = min(math.ceil((end - _EPSILON_S) * FRAMES), self._end * FRAMES)
            self._failed.update(range(low, max(low, high)))

    def _ready(self, at: float) -> Iterator[Output]:
        """Windows that nothing to come can change: damage reaches back a little."""
        while self._next < self._end:
            stop = (self._next + 1) * FRAMES
            if at < math.inf and (self._slot < stop or at < self._next + 1 + _REORDER_S or self._broken):
                return
            yield self._window(self._next)
            for slot in range(stop - FRAMES, stop):
                self._slots.pop(slot, None)
                self._failed.discard(slot)
            self._next += 1
        self.done = True

    def _window(self, index: int) -> Output:
        """A slot without a frame takes its neighbour's: the stream begins or ends inside."""
        header: wire.Header = {"kind": "video", "index": index}
        slots = range(index * FRAMES, (index + 1) * FRAMES)
        if any(slot in self._failed for slot in slots):
            return {**header, "reason": "decode_failed"}, []
        there = [slot for slot in slots if slot in self._slots]
        if not there:
            early = self._begun is not None and index < self._begun
            return {**header, "reason": "not_started" if early else "past_end"}, []
        nearest = [min(max(slot, there[0]), there[-1]) for slot in slots]
        return header, [self._slots[slot].data for slot in nearest]
