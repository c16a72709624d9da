"""A judge without a model, a store without a broker, and the records of a job, for fusion's tests."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import numpy as np

from services.fusion.judge import Conclusion
from services.fusion.ports import Change
from shared.contracts.base import Degradation, Event, Modality
from shared.contracts.codec import encode
from shared.contracts.embeddings import Embedding, Status, Tensors
from shared.contracts.jobs import JobOptions, MediaInfo, Planned
from shared.contracts.outcomes import InvalidRecord
from shared.contracts.records import Outgoing, Record
from shared.contracts.results import BundleRef, Series
from shared.models.windows import (
    AUDIO_DIM,
    FRAMES,
    VIDEO_DIM,
    WindowInput,
    WindowOutput,
    agreement,
)

DIGEST = "d" * 64
MODALITIES: tuple[Modality, ...] = ("video", "audio")


class FakeJudge:
    """Scores are a hash of the embeddings' bytes, so any mix-up of windows changes a verdict."""

    def __init__(self, *digests: str) -> None:
        self.digests = digests or (DIGEST,)
        self.batches: list[int] = []

    def knows(self, digest: str) -> bool:
        return digest in self.digests

    def score(self, digest: str, windows: Sequence[WindowInput]) -> list[WindowOutput]:
        if not self.knows(digest):
            raise InvalidRecord("wrong_bundle")
        self.batches.append(len(windows))
        return [_output(window) for window in windows]

    def conclude(
        self, digest: str, series: Series, duration_s: float, modalities: tuple[Modality, ...]
    ) -> Conclusion | None:
        if not self.knows(digest):
            return None
        scores = [p for p in series.p_fake if p is not None]
        p_fake = max(scores) if scores else None
        means: dict[Modality, float | None] = {"video": _mean(series.video), "audio": _mean(series.audio)}
        return Conclusion(
            p_fake=p_fake, interval=None if p_fake is None else (p_fake / 2, p_fake), modalities=means,
            weights={"video": 1.0, "audio": 1.0}, verdict="inconclusive",
            reason=f"fake judge: {'+'.join(modalities)}", bundle=BundleRef(name="fake", digest=digest),
            runtime="fake/1",
        )


def _output(window: WindowInput) -> WindowOutput:
    video = None if window.video is None else _hash(window.video.tobytes())
    audio = None if window.audio is None else _hash(window.audio.tobytes())
    present = [p for p in (video, audio) if p is not None]
    p_fake = sum(present) / len(present)
    faces = 0 if window.video is None else len(window.video)
    both = None if video is None or audio is None else agreement(video, audio)
    return WindowOutput(p_fake, (p_fake * 0.9, p_fake), video, audio, both, faces - 1 if faces else None)


def _hash(data: bytes) -> float:
    return int.from_bytes(hashlib.sha256(data).digest()[:6], "big") / 2**48


def _mean(values: Sequence[float | None]) -> float | None:
    found = [v for v in values if v is not None]
    return sum(found) / len(found) if found else None


class Crash(BaseException):
    """The process died here."""


class MemoryPorts:
    """A broker and a store in memory. `fault` is asked before every single record that reaches the broker
    and may raise `Crash`: what came before stays, what comes after does not."""

    def __init__(self, fault: Callable[[str], None] = lambda what: None) -> None:
        self.fault = fault
        self.state: dict[tuple[int, bytes], bytes] = {}
        self.published: list[Outgoing] = []
        self.written = 0

    def read(self, partition: int, key: bytes) -> bytes | None:
        return self.state.get((partition, key))

    async def write(self, partition: int, changes: Sequence[Change]) -> None:
        for key, value in changes:
            self.fault("write")
            self.written += len(value or b"")
            if value is None:
                self.state.pop((partition, key), None)
            else:
                self.state[partition, key] = value
        self.fault("written")

    async def publish(self, records: Sequence[Outgoing]) -> None:
        for record in records:
            self.fault("publish")
            self.published.append(record)
        self.fault("published")

    def scan(self, partition: int, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        for (at, key), value in sorted(self.state.items()):
            if at == partition and key.startswith(prefix):
                yield key, value

    def values(self, topic: str, job_id: str | None = None) -> list[bytes]:
        key = None if job_id is None else job_id.encode()
        return [r.value or b"" for r in self.published if r.topic == topic and key in (None, r.key)]


def plan(
    job_id: str, windows: int, modalities: tuple[Modality, ...] = MODALITIES, digest: str = DIGEST,
    degraded: tuple[Degradation, ...] = (), top_k: int = 3,
) -> Planned:
    media = MediaInfo(
        sha256="0" * 64, size=1, container="mp4", duration_s=float(windows), has_video="video" in modalities,
        has_audio="audio" in modalities,
    )
    return Planned(
        job_id=job_id, media=media, segments=(windows + 29) // 30, windows=windows, modalities=modalities,
        degraded=degraded, bundle_digest=digest, deadline=datetime(2026, 1, 1, tzinfo=UTC),
        options=JobOptions(top_k=top_k),
    )


def embedding(
    job_id: str, window: int, modality: Modality, status: Status = "ok", reason: str = "",
    digest: str = DIGEST, faces: int = 1, tokens: int = 7,
) -> Embedding:
    """Its content is a function of the arguments."""
    seed = hashlib.sha256(f"{job_id}/{window}/{modality}".encode()).digest()
    values = np.random.default_rng(int.from_bytes(seed[:8], "big"))
    tensors: Tensors = {}
    if status == "ok" and modality == "video":
        tensors = {
            "embedding": values.standard_normal((faces, VIDEO_DIM)).astype(np.float16),
            "transforms": values.standard_normal((faces, FRAMES, 2, 3)).astype(np.float32),
        }
    elif status == "ok":
        tensors = {
            "tokens": values.standard_normal((tokens, AUDIO_DIM)).astype(np.float16),
            "mask": np.ones(tokens, np.uint8),
        }
    return Embedding(
        job_id, window, modality, status, digest, runtime=f"cpu/{modality}", reason=reason,
        speech=0.5 if modality == "audio" else None, faces=faces if modality == "video" else None,
        tensors=tensors,
    )


def record(message: Event | Embedding, partition: int = 0, offset: int = 0) -> Record:
    """As it comes from Kafka."""
    out = encode(message, traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01")
    return Record(out.topic, partition, offset, out.key, out.value, out.headers, timestamp_ms=1_000)


def embeddings(job_id: str, windows: int, modalities: tuple[Modality, ...] = MODALITIES) -> list[Embedding]:
    return [embedding(job_id, w, m) for w in range(windows) for m in modalities]
