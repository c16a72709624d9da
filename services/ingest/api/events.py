"""GET /api/v1/jobs/{id}/events: what happens to a job, as it happens (server-sent events).

Event names: `progress` (status and numbers of segments and windows), `window` (one scored window),
`verdict` (the results so far), `done` (the whole job, last). Everything is sent from the start on
each connection; a window is known by its index.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent

from services.ingest.api.context import Api, api_of
from services.ingest.api.jobs import JobId, existing
from services.ingest.api.problems import documented
from services.ingest.read_model import JobState
from services.ingest.view import API, progress, results, scored_window, verdict_windows, view
from shared.contracts.job_view import JobStatus, WindowView

router = APIRouter(prefix=API)
LOOK_S = 5.0  # also without a wake-up, so that a lost one costs seconds


class ProgressEvent(BaseModel):
    """The data of a `progress` event."""

    status: JobStatus
    segments_done: int
    segments_total: int | None
    windows_done: int
    windows_total: int | None


@router.get(
    "/jobs/{job_id}/events", tags=["jobs"], response_class=EventSourceResponse,
    responses={200: {"description": __doc__,
                     "content": {"text/event-stream": {"schema": {"type": "string"}}}},
               **documented("invalid_request", "not_found", "not_ready")},
)
async def job_events(job_id: JobId, api: Annotated[Api, Depends(api_of)]) -> EventSourceResponse:
    """Server-sent events until the job has ended."""
    state = await existing(api, job_id)
    return EventSourceResponse(
        _events(api, state), ping=max(1, round(api.settings.heartbeat_s)), headers={"X-Accel-Buffering": "no"}
    )


async def _events(api: Api, state: JobState | None) -> AsyncIterator[ServerSentEvent]:
    if state is None:
        return
    job_id, sent = state.job_id, Sent()
    with api.follower.watch(job_id) as changed:
        while True:
            changed.clear()
            state = await api.blocking(api.model.get, job_id)
            if state is None:
                return
            for event in sent.news(state):
                yield event
            if state.terminal:
                return
            try:
                async with asyncio.timeout(LOOK_S):
                    await changed.wait()
            except TimeoutError:
                continue


class Sent:
    """What one listener has been told."""

    def __init__(self) -> None:
        self._windows: set[int] = set()
        self._progress: ProgressEvent | None = None
        self._verdict = False

    def news(self, state: JobState) -> list[ServerSentEvent]:
        """The events that `state` adds."""
        windows = _windows(state)
        new = [window for window in windows if window.index not in self._windows]
        self._windows.update(window.index for window in new)
        events = [_event("window", window) for window in new]
        told, now = self._progress, _progress(state, len(windows))
        if told != now:
            self._progress = now
            events.append(_event("progress", now))
        if not self._verdict and (outcome := results(state)) is not None:
            self._verdict = True
            events.append(_event("verdict", outcome))
        return [*events, _event("done", view(state))] if state.terminal else events


def _windows(state: JobState) -> tuple[WindowView, ...]:
    if state.verdict is not None:
        return verdict_windows(state.verdict)
    return tuple(scored_window(score) for score in state.windows)


def _progress(state: JobState, windows: int) -> ProgressEvent:
    segments = progress(state)
    return ProgressEvent(
        status=state.status, segments_done=segments.segments_done, segments_total=segments.segments_total,
        windows_done=windows, windows_total=state.planned.windows if state.planned else None,
    )


def _event(name: str, data: BaseModel) -> ServerSentEvent:
    return ServerSentEvent(data.model_dump_json(), event=name)
