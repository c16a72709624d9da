"""What is in a media file, found in a sandboxed child."""

from pydantic import ValidationError

from shared.contracts.jobs import MediaInfo
from shared.contracts.outcomes import BadMedia
from shared.media import sandbox
from shared.media.limits import Limits
from shared.media.sniff import HEAD_BYTES, sniff
from shared.media.sources import ByteSource

_BYTES_PER_S = 20e6  # the slowest walk through a large file that is still waited for


def probe(source: ByteSource, sha256: str, limits: Limits) -> MediaInfo:
    """Choose the first usable picture and sound and measure what can be decoded of them.

    Width and height are those of the upright picture with square pixels. A stream that cannot be
    decoded counts as absent; `MediaInfo` comes only if one is usable. Raises `BadMedia`
    (empty_file, too_large, unsupported_media, playlist_refused, unreadable_media,
    unsupported_codec, no_streams, no_frames, too_long, too_many_pixels, too_many_streams,
    decoder_crashed, decoder_timeout); `Transient` of the source passes through.
    """
    if source.size > limits.max_bytes:
        raise BadMedia("too_large")
    container = sniff(source.read_at(0, min(HEAD_BYTES, source.size)))
    task = {"task": "probe", "container": container, "allow": limits.model_dump(mode="json")}
    seconds = limits.probe_s + source.size / _BYTES_PER_S
    with sandbox.running(task, source, seconds=seconds, memory_bytes=limits.memory_bytes) as said:
        for header, _ in said:
            try:
                return MediaInfo(**{**header, "sha256": sha256, "size": source.size, "container": container})
            except ValidationError as error:
                raise BadMedia("decoder_crashed", "it gave no sense") from error
    raise BadMedia("decoder_crashed", "it said nothing")
