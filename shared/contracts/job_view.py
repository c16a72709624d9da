"""What `GET /api/v1/jobs/{id}` and the client's `--json` give: one schema, stable, versioned."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from shared.contracts.base import Body, Degradation, ErrorBody, Modality
from shared.contracts.results import (
    BundleRef,
    Interval,
    ModalityResult,
    Probability,
    VerdictName,
)

JobStatus = Literal["pending", "running", "completed", "failed", "cancelled"]
SCHEMA_VERSION = "1.0"


class Progress(Body):
    segments_done: int = 0
    segments_total: int | None = Field(default=None, description="None until the job is planned")


class WindowView(Body):
    """Window `index` covers [index, index + 1) seconds."""

    index: int
    p_fake: Probability
    interval: Interval | None
    video: Probability
    audio: Probability
    speech: float | None
    face: int | None


class FrameView(Body):
    frame_id: int
    timestamp: float
    confidence: float
    heatmap_url: str
    overlay_url: str


class AudioAnomalyView(Body):
    start_s: float
    end_s: float
    confidence: float
    saliency_url: str | None


class ArtifactView(Body):
    name: str
    url: str
    sha256: str
    media_type: str


class ResultsView(Body):
    verdict: VerdictName
    reason: str
    p_fake: Probability
    interval: Interval | None
    modalities: dict[Modality, ModalityResult]
    agreement: Probability
    degraded: tuple[Degradation, ...]
    windows: tuple[WindowView, ...]
    anomalous_frames: tuple[FrameView, ...] = ()
    audio_anomalies: tuple[AudioAnomalyView, ...] = ()
    bundle: BundleRef
    runtime: dict[str, str] = {}
    artifacts: tuple[ArtifactView, ...] = ()
    explanation: Literal["ok", "failed", "skipped"] = "ok"


class JobView(Body):
    schema_version: str = SCHEMA_VERSION
    job_id: str
    status: JobStatus
    created_at: datetime
    updated_at: datetime
    progress: Progress
    media: dict[str, Any] | None = None
    results: ResultsView | None = None
    error: ErrorBody | None = None
    status_url: str = ""


class AcceptedView(Body):
    """What a submission is answered with (202)."""

    job_id: str
    status: JobStatus = "pending"
    status_url: str


class JobSummary(Body):
    """A line of `GET /api/v1/jobs`; `status_url` gives the rest."""

    job_id: str
    status: JobStatus
    created_at: datetime
    updated_at: datetime
    verdict: VerdictName | None = None
    p_fake: Probability = None
    error_code: str | None = None
    status_url: str


class JobPage(Body):
    """Newest first. `next_cursor` is None on the last page."""

    jobs: tuple[JobSummary, ...]
    next_cursor: str | None = None
