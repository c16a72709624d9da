"""A job as the API shows it. URLs are paths on the API's own host."""

from collections.abc import Sequence
from typing import Literal

from services.ingest.read_model import JobState
from shared.contracts.base import ErrorBody
from shared.contracts.job_view import (
    ArtifactView,
    AudioAnomalyView,
    FrameView,
    JobView,
    Progress,
    ResultsView,
    WindowView,
)
from shared.contracts.results import Explained, Series, Verdict, WindowScored
from shared.media.windows import segments

API = "/api/v1"


def status_url(job_id: str) -> str:
    return f"{API}/jobs/{job_id}"


def artifact_url(job_id: str, name: str) -> str:
    return f"{status_url(job_id)}/artifacts/{name}"


def view(state: JobState) -> JobView:
    """The whole answer of `GET /api/v1/jobs/{id}`."""
    media = state.planned.media if state.planned else state.rejected and state.rejected.media
    return JobView(
        job_id=state.job_id, status=state.status, created_at=state.created_at, updated_at=state.updated_at,
        progress=progress(state), media=media.model_dump(mode="json") if media else None,
        results=results(state) if state.status == "completed" else None, error=error(state),
        status_url=status_url(state.job_id),
    )


def progress(state: JobState) -> Progress:
    """A segment is done when all its windows have a score; with a verdict, all that will be are done."""
    if state.planned is None:
        return Progress()
    total = state.planned.segments
    if state.verdict is not None:
        return Progress(segments_done=total, segments_total=total)
    scored = {score.window_index for score in state.windows}
    done = sum(
        scored.issuperset(range(first, first + number)) for first, number in segments(state.planned.windows)
    )
    return Progress(segments_done=done, segments_total=total)


def error(state: JobState) -> ErrorBody | None:
    """Why a failed job failed."""
    if state.status != "failed":
        return None
    if state.verdict is not None:
        return state.verdict.error
    return state.rejected.error if state.rejected else None


def results(state: JobState) -> ResultsView | None:
    """What is known once there is a verdict that analysed something; with pictures once explained."""
    verdict = state.verdict
    if verdict is None or verdict.verdict is None:
        return None
    explained = state.explained or Explained(job_id=state.job_id, status="ok")
    return ResultsView(
        verdict=verdict.verdict, reason=verdict.reason, p_fake=verdict.p_fake, interval=verdict.interval,
        modalities=verdict.modalities, agreement=verdict.agreement, degraded=verdict.degraded,
        windows=verdict_windows(verdict), anomalous_frames=_frames(explained),
        audio_anomalies=_sounds(explained), bundle=verdict.bundle, runtime=verdict.runtime,
        artifacts=tuple(
            ArtifactView(name=a.name, url=artifact_url(state.job_id, a.name), sha256=a.sha256,
                         media_type=a.media_type)
            for a in explained.artifacts
        ),
        explanation=_explanation(state),
    )


def _explanation(state: JobState) -> Literal["ok", "failed", "skipped"]:
    if state.explained is not None:
        return state.explained.status
    return "failed" if state.accepted is None or state.accepted.options.explain else "skipped"


def verdict_windows(verdict: Verdict) -> tuple[WindowView, ...]:
    """The series' columns as rows; a column that is shorter has no value there."""
    series = verdict.series
    return tuple(_window(series, index) for index in range(len(series.p_fake)))


def scored_window(score: WindowScored) -> WindowView:
    return WindowView(
        index=score.window_index, p_fake=score.p_fake, interval=score.interval, video=score.video,
        audio=score.audio, speech=score.speech, face=score.face,
    )


def _window(series: Series, index: int) -> WindowView:
    low, high = _at(series.low, index), _at(series.high, index)
    return WindowView(
        index=index, p_fake=series.p_fake[index],
        video=_at(series.video, index), audio=_at(series.audio, index),
        interval=None if low is None or high is None else (low, high), speech=_at(series.speech, index),
        face=series.face[index] if index < len(series.face) else None,
    )


def _at(column: Sequence[float | None], index: int) -> float | None:
    return column[index] if index < len(column) else None


def _frames(explained: Explained) -> tuple[FrameView, ...]:
    return tuple(
        FrameView(
            frame_id=f.frame_id, timestamp=f.timestamp, confidence=f.confidence,
            heatmap_url=artifact_url(explained.job_id, f.heatmap),
            overlay_url=artifact_url(explained.job_id, f.overlay),
        )
        for f in explained.anomalous_frames
    )


def _sounds(explained: Explained) -> tuple[AudioAnomalyView, ...]:
    return tuple(
        AudioAnomalyView(
            start_s=s.start_s, end_s=s.end_s, confidence=s.confidence,
            saliency_url=None if s.saliency is None else artifact_url(explained.job_id, s.saliency),
        )
        for s in explained.audio_anomalies
    )
