"""A probed job as the messages that set the pipeline to work. Pure."""

from collections.abc import Iterator

from services.ingest.rules import Rules
from shared.contracts.base import Degradation, ErrorBody, Event, Modality
from shared.contracts.jobs import JobAccepted, MediaInfo, MediaRef, Planned, Rejected, SegmentPlanned
from shared.contracts.outcomes import BadMedia
from shared.media.windows import count, segments


def plan(job: JobAccepted, info: MediaInfo, uri: str, rules: Rules) -> Planned:
    """The plan of `job`, whose media are at `uri`. Raises `BadMedia("no_streams")`."""
    present: dict[Modality, bool] = {"video": info.has_video, "audio": info.has_audio}
    if not any(present.values()):
        raise BadMedia("no_streams")
    windows = count(info.duration_s)
    return Planned(
        job_id=job.job_id, media=info, media_uri=uri, segments=len(segments(windows)), windows=windows,
        modalities=tuple(m for m in present if present[m]), bundle_digest=rules.bundle_digest,
        degraded=tuple(Degradation(modality=m, reason=f"no_{m}_stream") for m in present if not present[m]),
        deadline=rules.deadline(job, info.duration_s), options=job.options,
    )


def publications(planned: Planned) -> Iterator[Event]:
    """The plan, then one event a segment; the same again for the same plan."""
    yield planned
    media = MediaRef(uri=planned.media_uri, size=planned.media.size, sha256=planned.media.sha256)
    for index, (first, number) in enumerate(segments(planned.windows)):
        yield SegmentPlanned(
            job_id=planned.job_id, segment=index, first_window=first, window_count=number,
            modalities=planned.modalities, media=media, info=planned.media,
            bundle_digest=planned.bundle_digest, deadline=planned.deadline,
        )


def rejection(job_id: str, fault: BadMedia) -> Rejected:
    return Rejected(job_id=job_id, error=ErrorBody(code=fault.code, message=fault.message))
