"""In the child: which streams can be decoded, and from when to when."""

from typing import Any

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from shared.contracts.outcomes import BadMedia
from shared.media import wire
from shared.media.container import (
    DEMUXERS,
    INDEXED,
    MediaPacket,
    MediaStream,
    keep_only,
    known,
    numbered,
    open_media,
    packets,
    prepare,
    seconds,
)
from shared.media.extent import from_tail, from_walk, seeks
from shared.media.geometry import upright_size
from shared.media.remote import RemoteFile

_CANDIDATES = 4
_PADDING_S = 1.0
_ANY_PIXELS = 2**31 - 1
_LOOK_BYTES, _LOOK_PACKETS = 64 << 20, 20_000
First = dict[int, VideoFrame | AudioFrame]


def run(file: RemoteFile, task: wire.Header, say: wire.Say) -> None:
    """Says one message: `MediaInfo` less what only the parent knows."""
    name, limits = task["container"], task["allow"]
    with open_media(file, name, limits["max_pixels"]) as container:
        streams = _candidates(container, limits)
        unsized = [s.index for s in streams if isinstance(s, VideoStream) and not s.width * s.height]
        if unsized:
            _refuse_huge(file, name, unsized, limits["max_pixels"])
        first = _first_frames(file, container, streams, limits["max_pixels"])
        chosen = _choose(streams, first, limits)
        found = _describe(chosen, first)
        starts = [_start(stream, first[stream.index]) for stream in chosen]
        numbers = [stream.index for stream in chosen]
    # A stream must not be touched once its container is closed: FFmpeg would crash.
    with open_media(file, name, limits["max_pixels"]) as container:
        extent = from_tail(file, container, [numbered(container, n) for n in numbers], starts)
    if extent is None:
        with open_media(file, name, limits["max_pixels"]) as container:
            streams = [numbered(container, n) for n in numbers]
            extent = from_walk(container, streams, starts, limits["max_duration_s"])
    start, end = extent
    if end - start > limits["max_duration_s"]:
        raise BadMedia("too_long", f"{end - start:.0f} s")
    indexed = False
    if DEMUXERS[name] in INDEXED:
        with open_media(file, name, limits["max_pixels"]) as container:
            indexed = seeks(file, container, numbered(container, numbers[0]), start, end)
    say({"start_s": start, "duration_s": end - start, "indexed": indexed, **found})


def _candidates(container: InputContainer, limits: dict[str, Any]) -> list[MediaStream]:
    if len(container.streams) > limits["max_streams"]:
        raise BadMedia("too_many_streams", f"{len(container.streams)}")
    pictures = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    both: list[MediaStream] = [*pictures[:_CANDIDATES], *container.streams.audio[:_CANDIDATES]]
    if not both:
        raise BadMedia("no_streams")
    streams = [stream for stream in both if known(stream)]
    if not streams:
        raise BadMedia("unsupported_codec")
    for stream in streams:
        if isinstance(stream, VideoStream) and stream.width * stream.height > limits["max_pixels"]:
            raise BadMedia("too_many_pixels", f"{stream.width} x {stream.height}")
    return streams


def _refuse_huge(file: RemoteFile, name: str, numbers: list[int], max_pixels: int) -> None:
    """FFmpeg forgets a size it does not allow: look again, with all sizes allowed."""
    with open_media(file, name, _ANY_PIXELS) as container:
        for number in numbers:
            stream = numbered(container, number)
            if isinstance(stream, VideoStream) and stream.width * stream.height > max_pixels:
                raise BadMedia("too_many_pixels", f"{stream.width} x {stream.height}")


def _first_frames(
    file: RemoteFile, container: InputContainer, streams: list[MediaStream], max_pixels: int
) -> First:
    """The first frame of each stream that gives one within what we are ready to read."""
    av.logging.set_level(av.logging.ERROR)  # so that errors say why
    first: First = {}
    keep_only(container, streams)
    for stream in streams:
        prepare(stream, max_pixels)
    for number, packet in enumerate(packets(container, streams)):
        if file.fetched > _LOOK_BYTES or number > _LOOK_PACKETS or len(first) == len(streams):
            break
        if packet is not None and packet.stream_index not in first:
            _try(packet.stream, packet, first)
    for stream in streams:
        if stream.index not in first:
            _try(stream, None, first)  # what the decoder still holds back
    return first


def _try(stream: MediaStream, packet: MediaPacket | None, first: First) -> None:
    try:
        frames: list[Any] = list(stream.codec_context.decode(packet))
    except (av.error.FFmpegError, ValueError) as error:
        if "exceeds specified max pixel count" in str(error):  # the size is in the pictures alone
            raise BadMedia("too_many_pixels") from error
        return
    usable = [frame for frame in frames if not (isinstance(frame, VideoFrame) and frame.is_corrupt)]
    if usable:
        first[stream.index] = usable[0]


def _choose(streams: list[MediaStream], first: First, limits: dict[str, Any]) -> list[MediaStream]:
    """The first usable picture and the first usable sound."""
    pictures = [s for s in streams if s.type == "video" and s.index in first]
    sounds = [s for s in streams if s.type == "audio" and _audible(first.get(s.index), limits)]
    chosen = pictures[:1] + sounds[:1]
    if not chosen:
        raise BadMedia("no_frames" if any(s.type == "video" for s in streams) else "unreadable_media")
    return chosen


def _audible(frame: VideoFrame | AudioFrame | None, limits: dict[str, Any]) -> bool:
    return (
        isinstance(frame, AudioFrame)
        and 0 < frame.sample_rate <= limits["max_sample_rate"]
        and 0 < len(frame.layout.channels) <= limits["max_channels"]
    )


def _start(stream: MediaStream, frame: VideoFrame | AudioFrame) -> float | None:
    """When the stream begins: as decoded (which skips an encoder's padding), unless that came late."""
    header, decoded = seconds(stream.start_time, stream), seconds(frame.pts, stream)
    if header is None or decoded is None:
        return header
    return decoded if abs(decoded - header) < _PADDING_S else header


def _describe(chosen: list[MediaStream], first: First) -> wire.Header:
    found: wire.Header = {"has_video": False, "has_audio": False}
    for stream in chosen:
        frame = first[stream.index]
        if isinstance(frame, VideoFrame) and isinstance(stream, VideoStream):
            width, height, rotation = upright_size(frame, stream)
            rate = stream.average_rate or stream.guessed_rate
            found |= {
                "has_video": True, "video_stream": stream.index, "video_codec": stream.codec_context.name,
                "width": width, "height": height, "rotation": rotation,
                "fps": round(float(rate), 4) if rate else None,
            }  # fmt: skip
        elif isinstance(frame, AudioFrame):
            found |= {
                "has_audio": True, "audio_stream": stream.index, "audio_codec": stream.codec_context.name,
                "sample_rate": frame.sample_rate, "channels": len(frame.layout.channels),
            }  # fmt: skip
    return found
