"""In the child: one pass over a segment, windows as they are ready."""

from collections.abc import Iterator
from typing import Protocol

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from shared.contracts.outcomes import BadMedia
from shared.media import wire
from shared.media.container import (
    MediaPacket,
    MediaStream,
    keep_only,
    numbered,
    open_media,
    packets,
    prepare,
    stamp,
)
from shared.media.picture import Picture
from shared.media.remote import RemoteFile
from shared.media.sound import Sound

_PREROLL_S = 0.5
Output = tuple[wire.Header, list[wire.Buffer]]


class Collector(Protocol):
    """Takes one stream's packets in file order, gives its windows."""

    done: bool

    def feed(self, packet: MediaPacket) -> Iterator[Output]: ...
    def damage(self) -> None: ...
    def finish(self) -> Iterator[Output]: ...


def run(file: RemoteFile, task: wire.Header, say: wire.Say) -> None:
    """Says each window of the segment once per stream asked for."""
    with open_media(file, task["container"], task["allow"]["max_pixels"]) as container:
        collectors = _collectors(container, task)
        streams = [numbered(container, index) for index in collectors]
        keep_only(container, streams)
        if task["indexed"] and task["first"] > 0 and not _seek(container, streams[0], task):
            raise BadMedia("unreadable_media", "it cannot be searched")
        for packet in packets(container, streams):
            touched = list(collectors.values()) if packet is None else [collectors[packet.stream_index]]
            for collector in touched:
                if packet is None:
                    collector.damage()
                elif not collector.done:
                    for header, body in collector.feed(packet):
                        say(header, *body)
            if all(collector.done for collector in collectors.values()):
                return
        for collector in collectors.values():
            if not collector.done:
                for header, body in collector.finish():
                    say(header, *body)


def _collectors(container: InputContainer, task: wire.Header) -> dict[int, Collector]:
    segment = (task["start_s"], task["first"], task["count"])
    collectors: dict[int, Collector] = {}
    for kind, index in task["streams"].items():
        stream = numbered(container, index)
        if stream.type != kind:
            raise BadMedia("unreadable_media", "its streams are not those that were probed")
        prepare(stream, task["allow"]["max_pixels"])
        if isinstance(stream, VideoStream):
            shape = (task["width"], task["height"], task["rotation"])
            collectors[index] = Picture(stream, segment, shape, task["fps"], task["allow"]["max_frames"])
        else:
            collectors[index] = Sound(stream, segment)
    return collectors


def _seek(container: InputContainer, stream: MediaStream, task: wire.Header) -> bool:
    """To the keyframe before the segment; to the beginning if the index misleads."""
    target = task["start_s"] + task["first"] - _PREROLL_S
    for at in (target, task["start_s"] - 1.0):
        try:
            container.seek(round(at / (stream.time_base or 1)), stream=stream, backward=True)
            packet = next(packets(container, [stream]), None)
            landed = None if packet is None else stamp(packet)
            if landed is not None and landed <= max(at, task["start_s"]) + 0.05:
                container.seek(round(at / (stream.time_base or 1)), stream=stream, backward=True)
                return True
        except av.error.FFmpegError:
            continue
    return False
