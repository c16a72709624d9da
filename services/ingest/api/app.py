"""The FastAPI application."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from services.ingest.api import artifacts, events, jobs, ops, problems, submit
from services.ingest.api.context import Api
from services.ingest.api.problems import Problem
from shared.contracts.jobs import JobOptions


def create_app(api: Api) -> FastAPI:
    """Opens and closes nothing: `api` brings all connections."""
    app = FastAPI(
        title="Veracity", version="1", docs_url="/docs", redoc_url=None,
        description="Says whether a talking-head video is genuine, and shows why. URLs in answers are paths "
        "on this host.",
    )
    app.state.api = api
    problems.install(app)
    app.add_middleware(ops.Timed)
    app.include_router(ops.router)
    for part in (submit, jobs, events, artifacts):
        app.include_router(part.router)
    app.openapi = lambda: _schema(app)  # type: ignore[method-assign]  # FastAPI's documented way
    return app


def _schema(app: FastAPI) -> dict[str, Any]:
    """FastAPI's schema with our problem documents in place of its own validation errors."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schemas = schema["components"]["schemas"]
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        schemas["Problem"] = Problem.model_json_schema()
        schemas["JobOptions"] = JobOptions.model_json_schema()
        app.openapi_schema = schema
    return app.openapi_schema
