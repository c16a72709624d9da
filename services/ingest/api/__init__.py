"""The HTTP API."""

from services.ingest.api.app import create_app
from services.ingest.api.context import Api

__all__ = ["Api", "create_app"]
