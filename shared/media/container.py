"""Opening media inside the child: one demuxer, known codecs, nothing else opened."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard
from av.video.stream import VideoStream

from shared.contracts.outcomes import BadMedia
from shared.media.remote import BLOCK, RemoteFile

MediaStream = VideoStream | AudioStream
if TYPE_CHECKING:
    MediaPacket = Packet[Any]
else:
    MediaPacket = Packet  # generic in the stubs only

# Container name as `sniff` says it -> the FFmpeg demuxer that may read it.
DEMUXERS = {
    "mp4": "mov", "mov": "mov", "m4a": "mov", "webm": "matroska", "mkv": "matroska", "avi": "avi",
    "mpeg": "mpeg", "mpegts": "mpegts", "ogg": "ogg", "wav": "wav", "flac": "flac", "mp3": "mp3",
    "aac": "aac",
}  # fmt: skip
INDEXED = frozenset({"mov", "matroska", "avi", "wav", "flac"})

CODECS = frozenset(
    """h264 hevc av1 libdav1d vp8 vp9 libvpx libvpx-vp9 mpeg1video mpeg2video mpeg4 msmpeg4v3 msmpeg4
    msmpeg4v2 h263 mjpeg theora prores dnxhd ffv1 rawvideo dvvideo wmv1 wmv2 wmv3 vc1 flv huffyuv ffvhuff
    utvideo aac aac_fixed aac_latm mp3 mp3float mp2 mp2float mp1 mp1float ac3 eac3 opus libopus vorbis
    libvorbis flac alac amrnb amrwb wmav1 wmav2 wavpack pcm_u8 pcm_s8 pcm_s16le pcm_s16be pcm_s24le pcm_s24be
    pcm_s32le pcm_s32be pcm_f32le pcm_f32be pcm_f64le pcm_f64be pcm_alaw pcm_mulaw adpcm_ms adpcm_ima_wav
    adpcm_ima_qt""".split()  # noqa: SIM905 - a list of quoted names would fill a page
)
_MAX_DEMUX_ERRORS = 200


def open_media(file: RemoteFile, container: str, max_pixels: int) -> InputContainer:
    """Raises FFmpeg's errors where the container cannot be read."""
    demuxer = DEMUXERS[container]
    file.seek(0)
    return av.open(
        file,
        mode="r",
        format=demuxer,
        buffer_size=BLOCK,
        metadata_errors="replace",
        io_open=_refuse,
        options={
            "format_whitelist": demuxer,
            "protocol_whitelist": "none",
            "codec_whitelist": ",".join(sorted(CODECS)),
            "probesize": str(5 << 20),
            "analyzeduration": "5000000",
            "max_pixels": str(max_pixels),
            "threads": "1",
        },
    )


def _refuse(*_: Any) -> NoReturn:
    raise BadMedia("playlist_refused", "it refers to another file")


def prepare(stream: MediaStream, max_pixels: int) -> None:
    """Before the first packet is decoded. One thread, so that damage always looks the same.

    FFmpeg marks H.264 and MPEG frames it patched up as corrupt; its HEVC decoder tells only with
    `explode`.
    """
    context = stream.codec_context
    context.thread_count = 1
    options = {"max_pixels": str(max_pixels), "codec_whitelist": ",".join(sorted(CODECS))}
    if context.name == "hevc":
        options["err_detect"] = "explode"
    context.options = options


def known(stream: MediaStream) -> bool:
    """Whether there is a decoder for it, and it is one of ours."""
    context = getattr(stream, "codec_context", None)  # FFmpeg gives none to a codec it does not know
    return context is not None and context.codec.name in CODECS


def numbered(container: InputContainer, index: int) -> MediaStream:
    """The picture or sound with this index. Raises `BadMedia` if it is something else now."""
    stream = container.streams[index] if index < len(container.streams) else None
    if isinstance(stream, VideoStream | AudioStream):
        return stream
    raise BadMedia("unreadable_media", "its streams are not those that were probed")


def keep_only(container: InputContainer, streams: Sequence[MediaStream]) -> None:
    """Have the demuxer skip the other streams' packets."""
    wanted = {stream.index for stream in streams}
    for stream in container.streams:
        stream.discard = Discard.default if stream.index in wanted else Discard.all


def packets(container: InputContainer, streams: Sequence[MediaStream]) -> Iterator[MediaPacket | None]:
    """Packets of these streams in file order, without the flushing ones.

    None stands for a place that could not be demuxed; the rest follows where FFmpeg finds it.
    """
    wanted = {stream.index for stream in streams}
    for _ in range(_MAX_DEMUX_ERRORS):
        try:
            for packet in container.demux(*streams):
                if packet.size and packet.stream_index in wanted:
                    yield packet
            return
        except (av.error.InvalidDataError, av.error.EOFError, av.error.OSError):
            yield None


def seconds(value: int | None, stream: MediaStream) -> float | None:
    """A timestamp of a stream in seconds; None where there is none, or it is absurd."""
    if value is None or stream.time_base is None:
        return None
    result = float(value * stream.time_base)
    return result if abs(result) < 1e8 else None


def stamp(packet: MediaPacket) -> float | None:
    """Presentation time of a packet in seconds, decoding time if it has no other."""
    value = seconds(packet.pts, packet.stream)
    return value if value is not None else seconds(packet.dts, packet.stream)
