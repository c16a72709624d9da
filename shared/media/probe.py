"""What is in a media file, found in a sandboxed child."""

from shared.contracts.jobs import MediaInfo
from shared.media.limits import Limits
from shared.media.sources import ByteSource


def probe(source: ByteSource, sha256: str, limits: Limits) -> MediaInfo:
    """Choose the first usable picture and sound and measure what can be decoded of them.

    Width and height are those of the upright picture with square pixels. A stream that cannot be
    decoded counts as absent; `MediaInfo` comes only if one is usable. Raises `BadMedia`
    (empty_file, too_large, unsupported_media, playlist_refused, unreadable_media,
    unsupported_codec, no_streams, no_frames, too_long, too_many_pixels, too_many_streams,
    decoder_crashed, decoder_timeout); `Transient` of the source passes through.
    """
    raise NotImplementedError
