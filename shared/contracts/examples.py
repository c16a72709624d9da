"""One example of every message, all of one story: 40 s of a talking head, judged by the shipped bundle.

The same story fills `docs/examples/` and many tests.
"""

import json
from datetime import UTC, datetime

import numpy as np

from shared.contracts.base import Degradation, ErrorBody
from shared.contracts.codec import Message, encode
from shared.contracts.embeddings import Embedding
from shared.contracts.errors import ERRORS
from shared.contracts.jobs import (
    Cancelled,
    DeadlinePassed,
    JobAccepted,
    JobDeleted,
    JobOptions,
    MediaInfo,
    MediaRef,
    MediaSubmitted,
    Planned,
    Rejected,
    SegmentPlanned,
)
from shared.contracts.records import Record
from shared.contracts.results import (
    AnomalousFrame,
    Artifact,
    AudioAnomaly,
    BundleRef,
    Evidence,
    Explained,
    ModalityResult,
    Series,
    Verdict,
    WindowScored,
)
from shared.contracts.topics import DEAD_LETTERS, INBOX

JOB = "0b6e2c0e-58a5-5c6c-9d0a-3f5f0c7a4a11"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ACCEPTED_AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
DEADLINE = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
DIGEST = "sha256:" + "5f" * 32
SHA256 = "9c" * 32
RUNTIME = "cpu/bfloat16/2"
BUNDLE = BundleRef(name="compact", digest=DIGEST)
MEDIA = MediaRef(uri=f"s3://veracity/jobs/{JOB}/media", size=4_718_592, sha256=SHA256, filename="talk.mp4")
INFO = MediaInfo(
    sha256=SHA256, size=4_718_592, container="mp4", duration_s=39.96, width=1280, height=720, fps=25.0,
    has_video=True, has_audio=True, video_stream=0, audio_stream=1, video_codec="h264", audio_codec="aac",
    sample_rate=48_000, channels=2, indexed=True,
)
ACCEPTED = JobAccepted(
    job_id=JOB, created_at=ACCEPTED_AT, source="upload", request_digest=SHA256, media=MEDIA,
    options=JobOptions(top_k=3),
)
PLANNED = Planned(
    job_id=JOB, media=INFO, segments=2, windows=40, modalities=("video", "audio"), bundle_digest=DIGEST,
    deadline=DEADLINE, options=JobOptions(top_k=3),
)
REJECTED = Rejected(
    job_id=JOB, error=ErrorBody(code="unreadable_media", message=ERRORS["unreadable_media"].sentence)
)
SEGMENT = SegmentPlanned(
    job_id=JOB, segment=1, first_window=30, window_count=10, modalities=("video", "audio"), media=MEDIA,
    info=INFO, bundle_digest=DIGEST, deadline=DEADLINE,
)
VIDEO = Embedding(
    JOB, 30, "video", "ok", DIGEST, RUNTIME, faces=1,
    tensors={
        "embedding": np.linspace(-1, 1, 2048, dtype=np.float16)[None],
        "transforms": np.tile(np.array([[0.8, 0, -310], [0, 0.8, -90]], np.float32), (1, 5, 1, 1)),
    },
)
AUDIO = Embedding(
    JOB, 30, "audio", "ok", DIGEST, RUNTIME, speech=0.92,
    tensors={
        "tokens": np.linspace(-1, 1, 49 * 512, dtype=np.float16).reshape(49, 512),
        "mask": np.array([0] * 4 + [1] * 45, np.uint8),
    },
)
SCORED = WindowScored(
    job_id=JOB, window_index=30, p_fake=0.81, interval=(0.42, 0.95), video=0.84, audio=0.66, agreement=0.71,
    speech=0.92, face=1, bundle_digest=DIGEST,
)


def _with_peak(usual: float, peak: float, last: float | None) -> tuple[float | None, ...]:
    """Forty windows with something odd at second 30."""
    return (usual,) * 30 + (peak,) + (usual,) * 8 + (last,)


CUT_OFF = Degradation(modality="video", reason="decode_failed", windows=1)
VERDICT = Verdict(
    job_id=JOB, outcome="analysed", verdict="inconclusive",
    reason="Error rates of the bundle compact were never measured, so its score decides nothing.",
    p_fake=0.74, interval=(0.31, 0.93),
    modalities={
        "video": ModalityResult(p_fake=0.77, windows_used=39, weight=0.6),
        "audio": ModalityResult(p_fake=0.61, windows_used=40, weight=0.4),
    },
    agreement=0.68, degraded=(CUT_OFF,), windows=40,
    series=Series(
        p_fake=_with_peak(0.7, 0.81, 0.57), low=_with_peak(0.3, 0.42, 0.29), high=_with_peak(0.91, 0.95, 0.9),
        video=_with_peak(0.72, 0.84, None), audio=_with_peak(0.6, 0.66, 0.57),
        speech=_with_peak(1.0, 0.92, 0.7), face=(1,) * 39 + (None,),
    ),
    evidence=(Evidence(window_index=30, p_fake=0.81, face=0, transforms=((0.8, 0, -310, 0, 0.8, -90),) * 5),),
    bundle=BUNDLE, runtime={"video": RUNTIME, "audio": RUNTIME, "fusion": RUNTIME},
)
VERDICT_FAILED = Verdict(
    job_id=JOB, outcome="failed", windows=40, bundle=BUNDLE,
    error=ErrorBody(code="nothing_to_analyse", message=ERRORS["nothing_to_analyse"].sentence),
)
EXPLAINED = Explained(
    job_id=JOB, status="ok",
    artifacts=(
        Artifact(name="frame-000152-overlay.png", sha256="1a" * 32, size=181_240, media_type="image/png"),
        Artifact(name="frame-000152-heatmap.png", sha256="2b" * 32, size=40_113, media_type="image/png"),
        Artifact(name="audio-000030-saliency.png", sha256="3c" * 32, size=22_870, media_type="image/png"),
        Artifact(name="timeline.png", sha256="4d" * 32, size=51_002, media_type="image/png"),
        Artifact(name="report.json", sha256="5e" * 32, size=6_310, media_type="application/json"),
    ),
    anomalous_frames=(
        AnomalousFrame(
            frame_id=152, timestamp=30.5, confidence=0.81, heatmap="frame-000152-heatmap.png",
            overlay="frame-000152-overlay.png", box=(410.0, 120.0, 690.0, 400.0),
        ),
    ),
    audio_anomalies=(
        AudioAnomaly(start_s=30.0, end_s=31.0, confidence=0.66, saliency="audio-000030-saliency.png"),
    ),
)

# The file name in docs/examples says the message and the case.
EXAMPLES: dict[str, Message] = {
    "media-submitted": MediaSubmitted(
        id="cms-2026-000117", media_uri="https://media.example/clips/talk.mp4", options=JobOptions(top_k=3)
    ),
    "job-accepted": ACCEPTED,
    "job-deleted": JobDeleted(job_id=JOB, deleted_at=DEADLINE),
    "job-planned": PLANNED,
    "job-planned-without-sound": PLANNED.model_copy(
        update={
            "modalities": ("video",),
            "degraded": (Degradation(modality="audio", reason="no_audio_stream"),),
            "media": INFO.model_copy(
                update={
                    "has_audio": False, "audio_stream": None, "audio_codec": None, "sample_rate": None,
                    "channels": None,
                }
            ),
        }
    ),
    "job-rejected": REJECTED,
    "job-cancelled": Cancelled(job_id=JOB),
    "job-deadline-passed": DeadlinePassed(job_id=JOB),
    "segment-planned": SEGMENT,
    "embedding-video": VIDEO,
    "embedding-video-absent": Embedding(JOB, 31, "video", "absent", DIGEST, RUNTIME, "no_face", faces=0),
    "embedding-audio": AUDIO,
    "embedding-audio-absent": Embedding(JOB, 31, "audio", "absent", DIGEST, RUNTIME, "no_speech", speech=0.0),
    "embedding-audio-failed": Embedding(JOB, 32, "audio", "failed", DIGEST, RUNTIME, "decode_failed"),
    "window-scored": SCORED,
    "verdict": VERDICT,
    "verdict-failed": VERDICT_FAILED,
    "explained": EXPLAINED,
    "explained-failed": Explained(
        job_id=JOB, status="failed",
        error=ErrorBody(code="artifacts_failed", message=ERRORS["artifacts_failed"].sentence),
    ),
}


def _dead_letter() -> Record:
    """A segment of a newer version, with the headers that `shared.messaging` adds."""
    segment = encode(SEGMENT, traceparent=TRACE)
    newer = {**dict(segment.headers), "ce_type": b"io.veracity.segment.planned.v2"}
    added = {
        "dl_topic": segment.topic, "dl_partition": "7", "dl_offset": "4711", "dl_service": "video_worker",
        "dl_reason": "unknown_version", "dl_error": "InvalidRecord",
        "dl_detail": "io.veracity.segment.planned.v2 is no version that this service reads",
        "dl_attempts": "1", "dl_traceparent": TRACE,
    }
    headers = (*newer.items(), *((name, value.encode()) for name, value in added.items()))
    return Record(DEAD_LETTERS.name, 3, 12, segment.key, segment.value, headers)


DEAD_LETTER = _dead_letter()

# What the object store itself publishes for a file dropped in the inbox bucket (shortened).
_NOTIFICATION = {
    "EventName": "s3:ObjectCreated:Put",
    "Key": "inbox/clips/talk one.mp4",
    "Records": [
        {
            "eventVersion": "2.0", "eventSource": "minio:s3", "eventTime": "2026-11-24T09:29:58.112Z",
            "eventName": "s3:ObjectCreated:Put",
            "s3": {
                "bucket": {"name": "inbox"},
                "object": {
                    "key": "clips%2Ftalk+one.mp4", "size": 4_718_592,
                    "eTag": "0f343b0931126a20f133d67c2b018a3b",
                    "contentType": "video/mp4", "sequencer": "187F2D1A3C5B7E90",
                },
            },
        }
    ],
}
INBOX_RECORD = Record(
    INBOX.name, 5, 3, b"inbox/clips/talk one.mp4", json.dumps(_NOTIFICATION).encode(),
)
