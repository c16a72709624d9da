"""The same story as `examples`, as the API tells it."""

from datetime import timedelta

from shared.contracts.examples import ACCEPTED_AT, EXPLAINED, INFO, JOB, VERDICT
from shared.contracts.job_view import (
    ArtifactView,
    AudioAnomalyView,
    FrameView,
    JobView,
    Progress,
    ResultsView,
    WindowView,
)


def _url(name: str) -> str:
    return f"/api/v1/jobs/{JOB}/artifacts/{name}"


_SERIES = VERDICT.series
_WINDOWS = tuple(
    WindowView(
        index=i, p_fake=p_fake, interval=(low, high) if low is not None and high is not None else None,
        video=_SERIES.video[i], audio=_SERIES.audio[i], speech=_SERIES.speech[i], face=_SERIES.face[i],
    )
    for i, (p_fake, low, high) in enumerate(zip(_SERIES.p_fake, _SERIES.low, _SERIES.high, strict=True))
)
_FRAME, _SOUND = EXPLAINED.anomalous_frames[0], EXPLAINED.audio_anomalies[0]

JOB_VIEW = JobView(
    job_id=JOB, status="completed", created_at=ACCEPTED_AT, updated_at=ACCEPTED_AT + timedelta(seconds=21),
    progress=Progress(segments_done=2, segments_total=2), media=INFO.model_dump(mode="json"),
    results=ResultsView(
        verdict="inconclusive", reason=VERDICT.reason, p_fake=VERDICT.p_fake, interval=VERDICT.interval,
        modalities=VERDICT.modalities, agreement=VERDICT.agreement, degraded=VERDICT.degraded,
        windows=_WINDOWS, bundle=VERDICT.bundle, runtime=VERDICT.runtime,
        anomalous_frames=(
            FrameView(
                frame_id=_FRAME.frame_id, timestamp=_FRAME.timestamp, confidence=_FRAME.confidence,
                heatmap_url=_url(_FRAME.heatmap), overlay_url=_url(_FRAME.overlay),
            ),
        ),
        audio_anomalies=(
            AudioAnomalyView(
                start_s=_SOUND.start_s, end_s=_SOUND.end_s, confidence=_SOUND.confidence,
                saliency_url=_url(_SOUND.saliency or ""),
            ),
        ),
        artifacts=tuple(
            ArtifactView(name=a.name, url=_url(a.name), sha256=a.sha256, media_type=a.media_type)
            for a in EXPLAINED.artifacts
        ),
    ),
    status_url=f"/api/v1/jobs/{JOB}",
)
