"""When the chosen streams really begin and end, whatever the header says."""

import av
from av.container import InputContainer

from shared.contracts.outcomes import BadMedia
from shared.media.container import MediaStream, keep_only, packets, seconds, stamp
from shared.media.remote import RemoteFile

_SMALL = 16 << 20  # read whole
_TAIL_S = 3.0
_LAST_FRAME_S = 0.04
_PRIMING_S = 1.0
Extent = tuple[float, float]  # earliest start and latest end, seconds


def from_tail(
    file: RemoteFile, container: InputContainer, streams: list[MediaStream], starts: list[float | None]
) -> Extent | None:
    """Of a large file only the tail is read; None if the tail is not where the header puts it."""
    keep_only(container, streams)
    length = container.duration / av.time_base if container.duration else 0.0
    known = [start for start in starts if start is not None]
    if file.size <= _SMALL or length < 2 * _TAIL_S or len(known) < len(streams):
        return None
    if not _seek(container, streams[0], length - _TAIL_S, known[0]):
        return None
    ends = _walk(container, streams, None)[1]
    return (min(known), max(ends.values())) if len(ends) == len(streams) else None


def from_walk(
    container: InputContainer,
    streams: list[MediaStream],
    starts: list[float | None],
    max_duration_s: float,
) -> Extent:
    """Packet by packet through the whole file; `starts` as the streams say.

    Raises `BadMedia` (too_long, no_frames).
    """
    keep_only(container, streams)
    firsts, ends = _walk(container, streams, max_duration_s)
    if not ends:
        raise BadMedia("no_frames")
    said = {stream.index: start for stream, start in zip(streams, starts, strict=True)}
    start = min(_first(said[index], first) for index, first in firsts.items())
    return start, max(start, *ends.values())


def _first(header: float | None, packet: float) -> float:
    """The header knows of samples to skip; it is believed if the packets do not contradict it."""
    return header if header is not None and abs(header - packet) < _PRIMING_S else packet


def seeks(file: RemoteFile, container: InputContainer, stream: MediaStream, start: float, end: float) -> bool:
    """Whether going to the middle lands at or before it, without reading all that comes before."""
    keep_only(container, [stream])
    before, middle = file.fetched, (end - start) / 2
    if not _seek(container, stream, middle, start):
        return False
    packet = next(packets(container, [stream]), None)
    at = None if packet is None else stamp(packet)
    cheap = file.fetched - before < max(_SMALL, file.size // 4)
    return at is not None and at <= start + middle + _LAST_FRAME_S and cheap


def _seek(container: InputContainer, stream: MediaStream, offset_s: float, start: float | None) -> bool:
    if stream.time_base is None:
        return False
    try:
        container.seek(round((offset_s + (start or 0.0)) / stream.time_base), stream=stream, backward=True)
    except (av.error.FFmpegError, OverflowError):
        return False
    return True


def _walk(
    container: InputContainer, streams: list[MediaStream], max_duration_s: float | None
) -> tuple[dict[int, float], dict[int, float]]:
    """First timestamp and latest end of each stream from here on; damaged packets do not count."""
    firsts: dict[int, float] = {}
    ends: dict[int, float] = {}
    usual = {stream.index: _usual_duration(stream) for stream in streams}
    for packet in packets(container, streams):
        if packet is None or packet.is_corrupt or (at := stamp(packet)) is None:
            continue
        index = packet.stream_index
        length = seconds(packet.duration, packet.stream) or usual[index]
        firsts[index] = min(at, firsts.get(index, at))
        ends[index] = max(at + length, ends.get(index, at))
        if max_duration_s is not None and ends[index] - firsts[index] > max_duration_s:
            raise BadMedia("too_long", f"more than {max_duration_s:.0f} s")
    return firsts, ends


def _usual_duration(stream: MediaStream) -> float:
    rate = stream.average_rate if stream.type == "video" else None
    return min(1.0, float(1 / rate)) if rate else _LAST_FRAME_S
