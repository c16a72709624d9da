"""Reading what data sets come with. Whatever is wrong with a file is said with its name."""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from training.data.items import LayoutError, Span


def text_of(path: Path) -> str:
    """The file's text. Raises `LayoutError` if it is missing, unreadable or not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise LayoutError(path, "is missing") from None
    except (OSError, UnicodeDecodeError) as error:
        raise LayoutError(path, f"cannot be read ({error})") from error


def json_of(path: Path, expected: type) -> Any:
    """The file's JSON value, a `list` or `dict` as `expected`."""
    try:
        value = json.loads(text_of(path))
    except json.JSONDecodeError as error:
        raise LayoutError(path, f"is not JSON (line {error.lineno})") from error
    if not isinstance(value, expected):
        raise LayoutError(path, f"holds no JSON {'list' if expected is list else 'object'}")
    return value


def csv_of(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, column -> cell) for each row of a CSV file whose header has the needed columns."""
    reader = csv.DictReader(text_of(path).splitlines())
    absent = [name for name in needed if name not in (reader.fieldnames or ())]
    if absent:
        raise LayoutError(path, f"has no column {', '.join(map(repr, absent))}")
    for row in reader:
        if any(row[name] is None for name in needed):
            raise LayoutError(path, f"line {reader.line_num} has too few cells")
        yield reader.line_num, row


def columns_of(path: Path, count: int) -> Iterator[tuple[int, list[str]]]:
    """(line number, words) for each line of a file with at least `count` words between spaces."""
    for number, line in enumerate(text_of(path).splitlines(), 1):
        words = line.split()
        if words and len(words) < count:
            raise LayoutError(path, f"line {number} has {len(words)} columns, not {count}")
        if words:
            yield number, words


def present(path: Path, named_by: Path) -> Path:
    """The path, if a file is there. The error names the file and what promised it."""
    if not path.is_file():
        raise LayoutError(path, f"is missing, though {named_by.name} names it")
    return path


def spans_of(value: Any, path: Path, where: str) -> tuple[Span, ...]:
    """[[start, end], ...] in seconds as sorted spans; `path` and `where` tell of whose metadata."""
    try:
        spans = tuple(sorted((float(start), float(end)) for start, end in value))
    except (TypeError, ValueError) as error:
        raise LayoutError(path, f"{where}: intervals are not [start, end] pairs") from error
    if any(not 0 <= start <= end < float("inf") for start, end in spans):
        raise LayoutError(path, f"{where}: an interval ends before it starts")
    return spans


def field(entry: Any, name: str, path: Path, where: str) -> Any:
    """entry[name] of a JSON object in the metadata file `path`."""
    if not isinstance(entry, dict) or name not in entry:
        raise LayoutError(path, f"{where} has no {name!r}")
    return entry[name]
