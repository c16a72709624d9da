"""/healthz, /readyz and /metrics, on the API's own port, and how long requests take."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.ingest.api.context import Api, api_of
from shared.observability import metrics

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
@router.get("/readyz")
@router.get("/metrics")
async def ops(request: Request, api: Annotated[Api, Depends(api_of)]) -> Response:
    found = api.health.answer(request.url.path)
    status, content_type, body = found or (404, "text/plain", b"")
    return Response(body, status, media_type=content_type)


class Timed:
    """Observes the seconds until an answer begins, by route template. ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()

        async def observing(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "none")
                metrics.REQUEST_SECONDS.labels(route, scope["method"], str(message["status"])).observe(
                    time.perf_counter() - start
                )
            await send(message)

        await self._app(scope, receive, observing)
