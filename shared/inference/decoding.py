"""One modality of a planned segment, decoded in the sandbox."""

from collections.abc import Generator
from contextlib import closing
from typing import Any

from shared.contracts.base import Modality
from shared.contracts.jobs import SegmentPlanned
from shared.media.decode import decode
from shared.media.limits import Limits
from shared.media.sources import ByteSource


def segment_windows(
    modality: Modality, source: ByteSource, segment: SegmentPlanned, limits: Limits
) -> Generator[Any, None, None]:
    """`VideoWindow`s or `AudioWindow`s of the segment, in order. Closing it ends the child.

    Raises `BadMedia`, `Transient`."""
    windows = decode(source, segment.info, segment.first_window, segment.window_count, [modality], limits)
    with closing(windows):
        yield from windows
