"""Errors as RFC 9457 problem documents with stable codes."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared.contracts.errors import ERRORS
from shared.contracts.outcomes import BadMedia, Transient
from shared.observability import metrics

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5


class Problem(BaseModel):
    """The body of every answer that is not a success."""

    type: str
    title: str
    status: int
    code: str
    detail: str


class Refused(Exception):
    """The request is refused; `code` is one of `ERRORS` that has an HTTP status."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code, self.detail = code, detail
        super().__init__(f"{code}: {detail}")


def answer(code: str, detail: str = "", status: int | None = None) -> JSONResponse:
    """The problem document of `code`."""
    kind = ERRORS[code]
    status = status or kind.http_status or 422
    body = Problem(type=f"urn:veracity:error:{code}", title=kind.sentence, status=status, code=code,
                   detail=detail or kind.sentence)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    return JSONResponse(body.model_dump(), status, headers, MEDIA_TYPE)


def documented(*codes: str) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: which problems it can answer with."""
    by_status: dict[int | str, dict[str, Any]] = {}
    schema = {"$ref": "#/components/schemas/Problem"}
    for code in codes:
        entry = by_status.setdefault(
            ERRORS[code].http_status or 422, {"description": "", "content": {MEDIA_TYPE: {"schema": schema}}}
        )
        entry["description"] = f"{entry['description']} `{code}`: {ERRORS[code].sentence}".strip()
    return by_status


def install(app: FastAPI) -> None:
    """Every error that leaves a route becomes a problem document."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(BadMedia, _bad_media)
    app.add_exception_handler(Transient, _transient)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)  # noqa: S101 as registered
    return _counted(request, error.code, error.detail)


async def _bad_media(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, BadMedia)  # noqa: S101 as registered
    return _counted(request, error.code, error.message)


async def _transient(request: Request, error: Exception) -> JSONResponse:
    return _counted(request, "not_ready", "")


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 as registered
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return _counted(request, "invalid_request", f"{place}: {first['msg']}")


async def _gone(request: Request, error: Exception) -> Response:
    """The client went away while it was sending; nobody reads this answer."""
    return Response(status_code=499)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    """Uvicorn logs the error itself."""
    return _counted(request, "internal_error", "")


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 as registered
    code = "not_found" if error.status_code == 404 else "invalid_request"
    response = answer(code, str(error.detail), error.status_code)
    response.headers.update(error.headers or {})
    return response


def _counted(request: Request, code: str, detail: str) -> JSONResponse:
    if request.method == "POST":
        metrics.JOBS_REFUSED.labels(code).inc()
    return answer(code, detail)
