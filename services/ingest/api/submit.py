"""POST /api/v1/jobs/analyze-video: a file or a URL becomes a job, once per Idempotency-Key."""

import logging
import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.ingest.api.context import Api, api_of
from services.ingest.api.problems import Refused, documented
from services.ingest.api.receive import FORM_OVERHEAD, MAX_JSON, Body, receive
from services.ingest.api.upload import Upload
from services.ingest.intake import digest
from services.ingest.read_model import JobState
from services.ingest.url_policy import MAX_URL, UrlPolicy
from services.ingest.view import API, status_url
from shared.contracts import ids
from shared.contracts.job_view import AcceptedView
from shared.contracts.jobs import JobAccepted, JobOptions, MediaRef
from shared.contracts.outcomes import BadMedia, Transient
from shared.observability import metrics
from shared.observability.logs import bind
from shared.observability.tracing import child_of
from shared.storage.keys import parse_uri

log = logging.getLogger(__name__)
router = APIRouter(prefix=API)
MAX_KEY = 200


class UrlSubmission(BaseModel):
    """A clip on a public https address."""

    model_config = ConfigDict(extra="forbid")
    video_url: str = Field(min_length=1, max_length=MAX_URL)
    options: JobOptions = JobOptions()


_FORM: dict[str, Any] = {
    "type": "object", "required": ["file"], "additionalProperties": False,
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "the clip"},
        **JobOptions.model_json_schema()["properties"],
    },
}
_JSON = UrlSubmission.model_json_schema(ref_template="#/components/schemas/{model}")
_BODY = {"requestBody": {"required": True, "content": {
    "multipart/form-data": {"schema": _FORM},
    "application/json": {"schema": {name: part for name, part in _JSON.items() if name != "$defs"}},
}}}


@router.post(
    "/jobs/analyze-video", status_code=202, response_model=AcceptedView, tags=["jobs"],
    openapi_extra=_BODY,
    responses=documented(
        "invalid_request", "empty_file", "too_large", "unsupported_media", "playlist_refused",
        "url_forbidden", "idempotency_conflict", "job_deleted", "not_ready",
    ),
)
async def analyze_video(
    request: Request,
    api: Annotated[Api, Depends(api_of)],
    idempotency_key: Annotated[
        str | None, Header(max_length=MAX_KEY, description="a repeat with the same key is the same job")
    ] = None,
) -> AcceptedView:
    """Takes a clip in and answers at once; `status_url` tells how the analysis goes.

    At the door only size, first bytes and the URL's form are judged; probing follows."""
    body = Body(request, api.max_bytes + FORM_OVERHEAD)
    try:
        if idempotency_key is not None and not re.fullmatch(r"[\x21-\x7e]+", idempotency_key):
            raise Refused("invalid_request", "Idempotency-Key must be printable ASCII without spaces")
        api.follower.expect_broker()
        job_id = ids.job_id("http", idempotency_key)
        traceparent, shared = child_of(request.headers.get("traceparent")), idempotency_key is not None
        with bind(job_id=job_id, traceparent=traceparent):
            earlier = await api.blocking(api.jobs.current, job_id) if shared else None
            job = await _job(request, body, api, job_id, stored=earlier is None, shared=shared)
            if earlier is None:
                earlier = await _accept(api, job, traceparent, shared=shared)
    except (BadMedia, Refused, Transient):
        await body.drain()
        raise
    if earlier is not None:
        _same_or_refused(earlier, job)
    return AcceptedView(job_id=job_id, status_url=status_url(job_id))


async def _job(
    request: Request, body: Body, api: Api, job_id: str, *, stored: bool, shared: bool
) -> JobAccepted:
    """What is asked for; `stored` and `shared` as of `Upload`."""
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        form = await receive(
            body, content_type, lambda name: Upload(api, job_id, name, stored=stored, shared=shared),
            api.settings.upload_total_s,
        )
        return _accepted(api, job_id, form.media, form.media.sha256 or "", form.options)
    if kind == "application/json":
        try:
            wish = UrlSubmission.model_validate_json(await body.whole(MAX_JSON))
        except ValidationError as error:
            first = error.errors()[0]
            raise Refused("invalid_request", f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        UrlPolicy().check(wish.video_url)
        return _accepted(api, job_id, MediaRef(uri=wish.video_url), wish.video_url, wish.options)
    raise Refused("invalid_request", "send multipart/form-data with a `file`, or JSON with a `video_url`")


def _accepted(api: Api, job_id: str, media: MediaRef, what: str, options: JobOptions) -> JobAccepted:
    return JobAccepted(
        job_id=job_id, created_at=api.clock(), source="url" if media.uri.startswith("https://") else "upload",
        media=media, options=options, request_digest=digest(what, options),
    )


async def _accept(api: Api, job: JobAccepted, traceparent: str, *, shared: bool) -> JobState | None:
    """Writes the job; where another may have been faster, gives the job that won."""
    await api.publisher.publish([job], traceparent)
    metrics.JOBS_TAKEN.labels(job.source).inc()
    log.info("accepted", extra={"source": job.source, "bytes": job.media.size})
    if not shared:
        return None
    winner = await api.blocking(api.jobs.current, job.job_id)
    won = winner.accepted if winner else None
    if job.source == "upload" and won is not None and won.media.uri != job.media.uri:
        await api.blocking(api.store.remove, parse_uri(job.media.uri)[1])
    return winner


def _same_or_refused(earlier: JobState, job: JobAccepted) -> None:
    if earlier.accepted is None:
        raise Refused("job_deleted")
    if earlier.accepted.request_digest != job.request_digest:
        raise Refused("idempotency_conflict")
