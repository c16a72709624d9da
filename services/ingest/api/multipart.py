"""multipart/form-data as it arrives, never whole: one file and a few short fields."""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from services.ingest.api.problems import Refused

MAX_FIELD = 4096  # bytes
MAX_PARTS = 16


@dataclass(frozen=True)
class Field:
    """A whole form field."""

    name: str
    value: str


@dataclass(frozen=True)
class FileBegins:
    name: str
    filename: str


@dataclass(frozen=True)
class FileBytes:
    data: bytes


Piece = Field | FileBegins | FileBytes


async def pieces(content_type: str, body: AsyncIterable[bytes]) -> AsyncIterator[Piece]:
    """The form's parts in order. Raises `Refused("invalid_request")`."""
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise Refused("invalid_request", "multipart without a boundary")
    form = _Form()
    parser = MultipartParser(boundary, form.callbacks())  # type: ignore[arg-type]  # a TypedDict of ours
    try:
        async for chunk in body:
            parser.write(chunk)
            for piece in form.taken():
                yield piece
        parser.finalize()
    except MultipartParseError as error:
        raise Refused("invalid_request", "malformed multipart body") from error
    if not form.ended:
        raise Refused("invalid_request", "the multipart body is cut off")


class _Form:
    """What the parser's callbacks have seen since `taken` was last called."""

    def __init__(self) -> None:
        self.ended = False
        self._pieces: list[Piece] = []
        self._parts = 0
        self._begin()

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin, "on_part_data": self._data, "on_part_end": self._end,
            "on_header_field": self._header_name, "on_header_value": self._header_value,
            "on_header_end": self._header_end, "on_headers_finished": self._headers, "on_end": self._finish,
        }

    def taken(self) -> list[Piece]:
        pieces, self._pieces = self._pieces, []
        return pieces

    def _begin(self) -> None:
        self._headers_seen: dict[bytes, bytes] = {}
        self._header = self._value_of_header = b""
        self._name, self._is_file, self._value = "", False, b""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value_of_header += data[start:end]

    def _header_end(self) -> None:
        self._headers_seen[self._header.lower()] = self._value_of_header
        self._header = self._value_of_header = b""

    def _headers(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise Refused("invalid_request", f"more than {MAX_PARTS} form fields")
        _, options = parse_options_header(self._headers_seen.get(b"content-disposition"))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        filename = options.get(b"filename")
        self._is_file = filename is not None
        if filename is not None:
            self._pieces.append(FileBegins(self._name, filename.decode("utf-8", "replace")[:255]))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._pieces.append(FileBytes(data[start:end]))
            return
        self._value += data[start:end]
        if len(self._value) > MAX_FIELD:
            raise Refused("invalid_request", f"form field {self._name[:40]!r} is too long (is it the file?)")

    def _end(self) -> None:
        if not self._is_file:
            self._pieces.append(Field(self._name, self._value.decode("utf-8", "replace")))

    def _finish(self) -> None:
        self.ended = True
