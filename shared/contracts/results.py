"""What fusion and explain publish. No body holds a clock time: the same inputs give the same bytes."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from shared.contracts.base import Body, Degradation, ErrorBody, Event, Modality
from shared.contracts.ids import derive
from shared.contracts.jobs import MediaInfo

VerdictName = Literal["fake", "real", "inconclusive"]
Interval = tuple[float, float]
Probability = float | None  # in [0, 1]; 1 is fake; None: no score
Transform = tuple[float, float, float, float, float, float]


class BundleRef(Body):
    """Which model said so. `measured` is None where no error rates were ever measured."""

    name: str
    digest: str
    measured: dict[str, Any] | None = None


class WindowScored(Event):
    """One joined window: [window_index, window_index + 1) seconds."""

    TYPE: ClassVar[str] = "io.veracity.window.scored.v1"
    window_index: int = Field(ge=0)
    p_fake: Probability
    interval: Interval | None
    video: Probability = None
    audio: Probability = None
    agreement: Probability = None
    speech: float | None = Field(default=None, description="fraction of the window that is speech")
    face: int | None = Field(default=None, description="faces analysed")
    degraded: tuple[Degradation, ...] = ()
    bundle_digest: str

    def ce_id(self) -> str:
        return derive("score", self.job_id, self.window_index, self.bundle_digest)


class Series(Body):
    """The windows' scores as columns, all of the same length, index = window."""

    p_fake: tuple[Probability, ...] = ()
    low: tuple[Probability, ...] = ()
    high: tuple[Probability, ...] = ()
    video: tuple[Probability, ...] = ()
    audio: tuple[Probability, ...] = ()
    speech: tuple[float | None, ...] = ()
    face: tuple[int | None, ...] = ()


class ModalityResult(Body):
    """One modality over the whole clip."""

    p_fake: Probability = None
    windows_used: int = 0
    weight: float | None = Field(default=None, description="the bundle's weight of this modality")


class Evidence(Body):
    """One of the most anomalous windows, as many as the plan's `options.top_k`; none at all where
    the plan says not to explain. `transforms` are the 5 rows (a, b, tx, c, d, ty) that
    map the original frame to the face crop, for the face with the highest score."""

    window_index: int
    p_fake: float
    face: int | None = None
    transforms: tuple[Transform, ...] = ()


class Verdict(Event):
    """Terminal. `outcome` failed: nothing could be analysed, `error` says why and `verdict` is None."""

    TYPE: ClassVar[str] = "io.veracity.job.verdict.v1"
    outcome: Literal["analysed", "failed"]
    verdict: VerdictName | None = None
    reason: str = Field(default="", description="a sentence: why this verdict")
    p_fake: Probability = None
    interval: Interval | None = None
    modalities: dict[Modality, ModalityResult] = {}
    agreement: Probability = None
    degraded: tuple[Degradation, ...] = ()
    windows: int = 0
    series: Series = Series()
    evidence: tuple[Evidence, ...] = ()
    top_k: int = Field(default=5, ge=0, description="frames to explain, from the plan; 0: none")
    media_uri: str = Field(default="", description="s3:// place of the media, copied from the plan")
    media: MediaInfo | None = Field(default=None, description="copied from the plan")
    bundle: BundleRef
    runtime: dict[str, str] = Field(default={}, description='e.g. {"video": "cpu/bfloat16/2"}')
    error: ErrorBody | None = None

    def ce_id(self) -> str:
        return derive("verdict", self.job_id)


class Artifact(Body):
    """A file under `jobs/<job_id>/artifacts/` in the object store."""

    name: str
    sha256: str
    size: int
    media_type: str


class AnomalousFrame(Body):
    """One of the top-k frames. `frame_id` = window_index * 5 + frame; names are artifacts."""

    frame_id: int
    timestamp: float = Field(description="seconds from t = 0")
    confidence: float = Field(description="p_fake of its window, in [0, 1]")
    heatmap: str
    overlay: str
    box: tuple[float, float, float, float] | None = Field(
        default=None, description="x0, y0, x1, y1 of the face in pixels of the upright frame"
    )


class AudioAnomaly(Body):
    """A stretch of sound that looks fake; `saliency` is an artifact's name."""

    start_s: float
    end_s: float
    confidence: float
    saliency: str | None = None


class Explained(Event):
    """Terminal. `failed` names an error; the verdict stands either way."""

    TYPE: ClassVar[str] = "io.veracity.job.explained.v1"
    status: Literal["ok", "failed"]
    artifacts: tuple[Artifact, ...] = ()
    anomalous_frames: tuple[AnomalousFrame, ...] = ()
    audio_anomalies: tuple[AudioAnomaly, ...] = ()
    error: ErrorBody | None = None

    def ce_id(self) -> str:
        return derive("explained", self.job_id)
