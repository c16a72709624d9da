"""Reading and deleting jobs."""

import base64
import binascii
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.ingest.api.context import Api, api_of
from services.ingest.api.problems import Refused, documented
from services.ingest.read_model import JobState, Summary
from services.ingest.view import API, status_url, view
from shared.contracts.job_view import JobPage, JobSummary, JobView
from shared.contracts.jobs import JobDeleted
from shared.contracts.outcomes import Transient
from shared.observability.tracing import child_of
from shared.storage.keys import job_prefix

router = APIRouter(prefix=API)
JobId = Annotated[
    str, Path(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", description="from the submission")
]


async def existing(api: Api, job_id: str) -> JobState:
    """The job. Raises `Refused("not_found")` once the read model is at the topics' ends without it."""
    state = await api.blocking(api.jobs.known, job_id)
    if state is None or gone(api, state):
        raise Refused("not_found")
    return state


def gone(api: Api, state: JobState) -> bool:
    """Whether the job was deleted so long ago that it reads 404."""
    ttl = timedelta(seconds=api.settings.deleted_ttl_s)
    return state.deleted_at is not None and state.deleted_at + ttl < api.clock()


@router.get("/jobs/{job_id}", response_model=JobView, tags=["jobs"],
            responses=documented("invalid_request", "not_found", "not_ready"))
async def get_job(job_id: JobId, api: Annotated[Api, Depends(api_of)]) -> Response:
    """Status, progress and, once completed, the results."""
    state = await existing(api, job_id)
    body = await api.blocking(lambda: view(state).model_dump_json())
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


@router.get("/jobs", response_model=JobPage, tags=["jobs"],
            responses=documented("invalid_request", "not_ready"))
async def list_jobs(
    api: Annotated[Api, Depends(api_of)],
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[
        str | None, Query(max_length=200, description="`next_cursor` of the page before")
    ] = None,
) -> JobPage:
    """Newest first, as far as this replica knows."""
    before = _before(cursor) if cursor is not None else None
    deleted_after = api.clock() - timedelta(seconds=api.settings.deleted_ttl_s)
    found = await api.blocking(api.model.newest, limit + 1, before, deleted_after)
    page = found[:limit]
    more = len(found) > limit
    return JobPage(jobs=tuple(map(_line, page)), next_cursor=_cursor(page[-1]) if more else None)


@router.delete("/jobs/{job_id}", status_code=204, tags=["jobs"],
               responses={202: {"description": "Deleted; its files go as soon as the object store is back."},
                          **documented("invalid_request", "not_found", "not_ready")})
async def delete_job(job_id: JobId, request: Request, api: Annotated[Api, Depends(api_of)]) -> Response:
    """Cancels what runs and removes the job's media and artifacts. May be repeated."""
    state = await existing(api, job_id)
    deleted = JobDeleted(job_id=job_id, deleted_at=state.deleted_at or api.clock())
    await api.publisher.publish([deleted], child_of(request.headers.get("traceparent")))
    await api.blocking(api.jobs.current, job_id)
    try:
        await api.blocking(api.store.remove_prefix, job_prefix(job_id))
    except Transient:
        return Response(status_code=202)
    return Response(status_code=204)


def _line(job: Summary) -> JobSummary:
    return JobSummary.model_validate({**vars(job), "status_url": status_url(job.job_id)})


def _cursor(job: Summary) -> str:
    return base64.urlsafe_b64encode(f"{job.created_at.timestamp()!r} {job.job_id}".encode()).decode()


def _before(cursor: str) -> tuple[float, str]:
    try:
        created, job_id = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        return float(created), job_id
    except (ValueError, binascii.Error) as error:
        raise Refused("invalid_request", "cursor is not one that this API gave") from error
