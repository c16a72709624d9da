"""The body of an upload: a form with one `file` and the options, streamed."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from fastapi import Request
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from services.ingest.api.multipart import Field, FileBegins, FileBytes, Piece, pieces
from services.ingest.api.problems import Refused
from services.ingest.api.upload import Upload
from shared.contracts.jobs import JobOptions, MediaRef
from shared.contracts.outcomes import BadMedia

STALL_S = 30.0
FORM_OVERHEAD = 64 * 1024  # bytes of a form beside its file
MAX_JSON = 64 * 1024
DRAINED = 64 * 1024 * 1024
DRAIN_S = 10.0


@dataclass(frozen=True)
class Form:
    media: MediaRef
    options: JobOptions


class Body:
    """The request's body, read once, with a limit on silence."""

    def __init__(self, request: Request, max_bytes: int) -> None:
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length) > max_bytes:
            self._too_large = f"{length} bytes"
        else:
            self._too_large = ""
        self._chunks = request.stream()

    async def chunks(self) -> AsyncIterator[bytes]:
        if self._too_large:
            raise BadMedia("too_large", self._too_large)
        while True:
            try:
                async with asyncio.timeout(STALL_S):
                    chunk = await anext(self._chunks, None)
            except TimeoutError as error:
                raise Refused("invalid_request", f"nothing came for {STALL_S:.0f} s") from error
            if chunk is None:
                return
            yield chunk

    async def whole(self, limit: int) -> bytes:
        data = b""
        async for chunk in self.chunks():
            data += chunk
            if len(data) > limit:
                raise Refused("invalid_request", f"more than {limit} bytes of JSON")
        return data

    async def drain(self) -> None:
        """Reads on a little, so that a client that is still sending gets to read our answer."""
        left, end = DRAINED, time.monotonic() + DRAIN_S
        try:
            async with asyncio.timeout(DRAIN_S):
                async for chunk in self._chunks:
                    left -= len(chunk)
                    if left < 0 or time.monotonic() > end:
                        return
        except (TimeoutError, ClientDisconnect):
            return


async def receive(
    body: Body, content_type: str, begin: Callable[[str], Upload], total_s: float
) -> Form:
    """The form; `begin` makes the upload of a file name. Nothing is left of it if this raises."""
    upload: Upload | None = None
    fields: dict[str, str] = {}
    try:
        async with asyncio.timeout(total_s):
            async for piece in pieces(content_type, body.chunks()):
                if isinstance(piece, FileBegins) and piece.name == "file" and upload is None:
                    upload = begin(piece.filename)
                else:
                    await _take(piece, upload, fields)
        if upload is None:
            raise Refused("invalid_request", "the form has no part `file` with a file name")
        options = _options(fields)
        return Form(await upload.finish(), options)
    except BaseException as error:
        if upload is not None:
            await asyncio.shield(upload.abandon())
        if isinstance(error, TimeoutError):
            raise Refused("invalid_request", "the upload took too long") from error
        raise


async def _take(piece: Piece, upload: Upload | None, fields: dict[str, str]) -> None:
    match piece:
        case FileBytes(data) if upload is not None:
            await upload.write(data)
        case FileBegins():
            raise Refused("invalid_request", "only one file is taken, in the form field `file`")
        case Field(name, value) if name in JobOptions.model_fields and name not in fields:
            fields[name] = value
        case Field(name, _):
            raise Refused("invalid_request", f"form field {name[:40]!r} is unknown or repeated")


def _options(fields: dict[str, str]) -> JobOptions:
    try:
        return JobOptions.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        raise Refused("invalid_request", f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
