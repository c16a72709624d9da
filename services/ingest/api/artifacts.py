"""GET /api/v1/jobs/{id}/artifacts/{name}: pictures and reports, streamed from the object store."""

from collections.abc import Iterator
from itertools import chain
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from fastapi.responses import StreamingResponse

from services.ingest.api.context import Api, api_of
from services.ingest.api.jobs import JobId, existing
from services.ingest.api.problems import Refused, documented
from services.ingest.view import API
from shared.contracts.results import Artifact
from shared.storage import ObjectMissing
from shared.storage.keys import artifact_key

router = APIRouter(prefix=API)
SHOWN = frozenset({"image/png", "application/json", "text/plain", "text/csv"})
CHUNK = 256 * 1024
# Files are derived from strangers' media: a browser must neither guess their type nor run anything.
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, max-age=3600",
}
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$")]


@router.get(
    "/jobs/{job_id}/artifacts/{name}", tags=["jobs"], response_class=StreamingResponse,
    responses={200: {"description": "the file", "content": {"image/png": {}, "application/json": {}}},
               **documented("invalid_request", "not_found", "not_ready")},
)
async def get_artifact(job_id: JobId, name: Name, api: Annotated[Api, Depends(api_of)]) -> StreamingResponse:
    """One of the files that `results.artifacts` lists."""
    state = await existing(api, job_id)
    listed = state.explained.artifacts if state.explained else ()
    artifact = next((a for a in listed if a.name == name), None)
    if artifact is None:
        raise Refused("not_found")
    try:
        size, pieces = await api.blocking(_open, api, artifact_key(job_id, name))
    except ObjectMissing as error:
        raise Refused("not_found") from error
    return StreamingResponse(pieces, headers=_headers(artifact, size), media_type=_media_type(artifact))


def _open(api: Api, key: str) -> tuple[int, Iterator[bytes]]:
    """Fetches the first piece too, so that an absent object is known before the answer begins."""
    size = api.store.stat(key).size
    pieces = api.store.iter_bytes(key, CHUNK)
    return size, chain([next(pieces, b"")], pieces)


def _media_type(artifact: Artifact) -> str:
    return artifact.media_type if artifact.media_type in SHOWN else "application/octet-stream"


def _headers(artifact: Artifact, size: int) -> dict[str, str]:
    disposition = "inline" if artifact.media_type in SHOWN else "attachment"
    return SAFE_HEADERS | {
        "Content-Disposition": f'{disposition}; filename="{artifact.name}"',
        "Content-Length": str(size), "ETag": f'"{artifact.sha256}"',
    }
