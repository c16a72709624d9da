"""Submissions, and what the planner says about a job."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from shared.contracts.base import Body, Degradation, ErrorBody, Event, Modality
from shared.contracts.ids import derive


class JobOptions(Body):
    """What a submitter may choose."""

    top_k: int = Field(default=5, ge=1, le=20, description="most anomalous frames to explain")
    explain: bool = True


class MediaRef(Body):
    """Where the bytes are: `s3://bucket/key`, or `https://` until the planner fetched them."""

    uri: str
    size: int | None = Field(default=None, description="bytes")
    sha256: str | None = None
    filename: str | None = None


class MediaInfo(Body):
    """What probing found. Times are seconds on the media clock; t = 0 is `start_s`."""

    sha256: str
    size: int = Field(description="bytes")
    container: str
    duration_s: float
    start_s: float = Field(default=0.0, description="earliest start among the chosen streams")
    width: int | None = None
    height: int | None = None
    fps: float | None = Field(default=None, description="average; the rate may vary")
    rotation: int = Field(default=0, description="degrees clockwise to show the picture upright")
    has_video: bool
    has_audio: bool
    video_stream: int | None = Field(default=None, description="index in the container")
    audio_stream: int | None = Field(default=None, description="index in the container")
    video_codec: str | None = None
    audio_codec: str | None = None
    sample_rate: int | None = Field(default=None, description="Hz, as stored")
    channels: int | None = None
    indexed: bool = Field(default=False, description="segments can be read without the whole file")


class MediaSubmitted(Event):
    """What an upstream platform publishes on `media-submitted-v1`; `id` makes it idempotent."""

    TYPE: ClassVar[str] = "io.veracity.media.submitted.v1"
    job_id: str = Field(default="", exclude=True)
    id: str = Field(min_length=1, max_length=200)
    media_uri: str = Field(description="s3://bucket/key or https://...")
    options: JobOptions = JobOptions()

    def ce_id(self) -> str:
        return self.id


class JobAccepted(Event):
    """The accepted submission, whole. The first record of a job wins."""

    TYPE: ClassVar[str] = "io.veracity.job.accepted.v1"
    created_at: datetime
    source: Literal["upload", "url", "event", "inbox"]
    request_digest: str = Field(description="sha256 of what was asked: same key, other digest: 409")
    media: MediaRef
    options: JobOptions = JobOptions()

    def ce_id(self) -> str:
        return derive("accepted", self.job_id, self.request_digest)


class JobDeleted(Event):
    """The marker that outlives the pipeline."""

    TYPE: ClassVar[str] = "io.veracity.job.deleted.v1"
    deleted_at: datetime

    def ce_id(self) -> str:
        return derive("deleted", self.job_id)


class Planned(Event):
    """The job is complete when each of `windows` has one record for each of `modalities`.

    `modalities` are those with a stream; one without is in `degraded` and gets no records.
    """

    TYPE: ClassVar[str] = "io.veracity.job.planned.v1"
    media: MediaInfo
    media_uri: str = Field(default="", description="s3:// place of the media")
    segments: int = Field(ge=1)
    windows: int = Field(ge=1)
    modalities: tuple[Modality, ...] = Field(min_length=1)
    degraded: tuple[Degradation, ...] = ()
    bundle_digest: str
    deadline: datetime
    options: JobOptions = JobOptions()

    def ce_id(self) -> str:
        return derive("planned", self.job_id, self.bundle_digest)


class Rejected(Event):
    """Planning found that the media cannot be analysed at all: the job has failed."""

    TYPE: ClassVar[str] = "io.veracity.job.rejected.v1"
    error: ErrorBody
    media: MediaInfo | None = None

    def ce_id(self) -> str:
        return derive("rejected", self.job_id)


class Cancelled(Event):
    """Closes the job without a verdict."""

    TYPE: ClassVar[str] = "io.veracity.job.cancelled.v1"

    def ce_id(self) -> str:
        return derive("cancelled", self.job_id)


class DeadlinePassed(Event):
    """Closes the job with what is there."""

    TYPE: ClassVar[str] = "io.veracity.job.deadline-passed.v1"

    def ce_id(self) -> str:
        return derive("deadline", self.job_id)


class SegmentPlanned(Event):
    """One segment to analyse: windows [first_window, first_window + window_count)."""

    TYPE: ClassVar[str] = "io.veracity.segment.planned.v1"
    segment: int = Field(ge=0)
    first_window: int = Field(ge=0)
    window_count: int = Field(ge=1)
    modalities: tuple[Modality, ...]
    media: MediaRef
    info: MediaInfo
    bundle_digest: str
    deadline: datetime

    def ce_id(self) -> str:
        return derive("segment", self.job_id, self.segment, self.bundle_digest)
