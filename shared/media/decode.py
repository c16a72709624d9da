"""Windows of a clip, decoded in a sandboxed child, in one pass and as they are ready."""

from collections.abc import Iterator, Sequence

from shared.contracts.base import Modality
from shared.contracts.jobs import MediaInfo
from shared.media.limits import Limits
from shared.media.sources import ByteSource
from shared.media.windows import AudioWindow, VideoWindow


def decode(
    source: ByteSource,
    info: MediaInfo,
    first_window: int,
    window_count: int,
    modalities: Sequence[Modality],
    limits: Limits,
) -> Iterator[VideoWindow | AudioWindow]:
    """Yield each window of [first_window, first_window + window_count) once per modality.

    Ascending within a modality, as soon as it is finished. t = 0 is `info.start_s`. The frame at
    t is the one on display then: the last with a timestamp <= t. With `info.indexed` only the
    bytes from the keyframe before the segment are read. A part that cannot be decoded gives
    windows with reason `decode_failed` and the rest goes on. Closing the generator kills the child.

    Raises `BadMedia` (decoder_crashed, decoder_timeout, unreadable_media) after the windows that
    were ready; `Transient` of the source passes through.
    """
    raise NotImplementedError
    yield
