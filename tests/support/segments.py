"""Segments, tasks and a branch of two lines, for tests of what the workers share."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np

from shared.contracts.base import Modality
from shared.contracts.embeddings import Embedding, Tensors
from shared.contracts.jobs import MediaInfo, MediaRef, SegmentPlanned
from shared.contracts.outcomes import InvalidRecord
from shared.contracts.records import Record
from shared.inference.windows import Window
from shared.messaging.handlers import FINISHED, Step, Task

DIGEST = "sha256:" + "ab" * 32
INFO = MediaInfo(
    sha256="00" * 32, size=1000, container="mp4", duration_s=6.0, width=360, height=288, has_video=True,
    has_audio=True, indexed=True,
)


def segment(
    job_id: str = "job", *, first: int = 0, count: int = 4, digest: str = DIGEST,
    modalities: tuple[Modality, ...] = ("video", "audio"), info: MediaInfo = INFO, number: int = 0,
) -> SegmentPlanned:
    return SegmentPlanned(
        job_id=job_id, segment=number, first_window=first, window_count=count, modalities=modalities,
        media=MediaRef(uri=f"s3://veracity/jobs/{job_id}/media", size=info.size), info=info,
        bundle_digest=digest, deadline=datetime(2030, 1, 1, tzinfo=UTC),
    )


def task(message: Any) -> Task:
    return Task(Record("video-events-v1", 0, 0, b"", b""), message, "")


class FakeBranch:
    """`media`: job id to what decoding gives, an exception last if it ends so. A payload is a number."""

    modality: Literal["audio"] = "audio"

    def __init__(self, media: Mapping[str, Iterable[Window[int] | Exception]], weight: int = 1) -> None:
        self._media, self._weight = media, weight
        self.batches: list[list[int]] = []
        self.open = 0

    def windows(self, segment: SegmentPlanned) -> Generator[Window[int], None, None]:
        self.open += 1
        try:
            for item in self._media[segment.job_id]:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.open -= 1

    def weight(self, payload: int) -> int:
        return self._weight

    def runtime(self, digest: str) -> str:
        if digest != DIGEST:
            raise InvalidRecord("wrong_bundle", digest)
        return "cpu/float32/1"

    def encode(self, digest: str, payloads: Sequence[int]) -> Sequence[Tensors]:
        self.batches.append(list(payloads))
        return [
            {"tokens": np.full((1, 512), p, np.float16), "mask": np.ones(1, np.uint8)} for p in payloads
        ]


def records(steps: Iterable[Step], index: int = 0) -> dict[int, Embedding]:
    """Window to its record, of task `index`. Fails on a second record of a window."""
    found: dict[int, Embedding] = {}
    for at, out in steps:
        if at == index and isinstance(out, Embedding):
            assert out.window_index not in found, f"window {out.window_index} came twice"
            found[out.window_index] = out
    return found


def faults(steps: Iterable[Step]) -> dict[int, Exception]:
    return {at: out for at, out in steps if isinstance(out, Exception)}


def finished(steps: Iterable[Step]) -> list[int]:
    """Tasks in the order in which they finished."""
    return [at for at, out in steps if out is FINISHED]
