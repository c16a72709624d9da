"""Write what the contracts say into `docs/`: `python -m shared.contracts.generate [--check]`.

Schemas, the AsyncAPI document, the error codes and an example of every message. `--check` writes
nothing, names what is not current and exits with 1.
"""

import json
import sys
from pathlib import Path
from typing import Any

from shared.contracts.asyncapi import asyncapi
from shared.contracts.codec import encode
from shared.contracts.embeddings import Embedding
from shared.contracts.errors import ERRORS
from shared.contracts.example_view import JOB_VIEW
from shared.contracts.examples import DEAD_LETTER, EXAMPLES, INBOX_RECORD, TRACE
from shared.contracts.records import Outgoing, Record
from shared.contracts.schemas import schemas

DOCS = Path(__file__).resolve().parents[2] / "docs"
VERSION = "1.0.0"
FOLDERS = ("schemas", "examples")  # every file in them is generated


def generated() -> dict[str, bytes]:
    """All generated files by their path below `docs/`. The same code always gives the same bytes."""
    files = {f"schemas/{name}": _json(schema) for name, schema in schemas().items()}
    files["asyncapi.json"] = _json(asyncapi(VERSION))
    for name, message in EXAMPLES.items():
        record = encode(message, traceparent=TRACE)
        binary = isinstance(message, Embedding)
        if binary:
            files[f"examples/{name}.safetensors"] = record.value or b""
        files[f"examples/{name}.json"] = _record(record, f"{name}.safetensors" if binary else None)
    files["error-codes.md"] = _codes()
    files["examples/dead-letter.json"] = _record(DEAD_LETTER)
    files["examples/inbox-notification.json"] = _record(INBOX_RECORD)
    files["examples/job-view.json"] = _json(JOB_VIEW.model_dump(mode="json"))
    return files


def _record(record: Record | Outgoing, value_file: str | None = None) -> bytes:
    value = {"value_file": value_file} if value_file else {"value": json.loads(record.value or b"null")}
    headers = {name: _text(value) for name, value in record.headers}
    return _json({"topic": record.topic, "key": _text(record.key), "headers": headers, **value})


def _codes() -> bytes:
    lines = [
        "# Error codes", "",
        "Generated from `shared/contracts/errors.py`. A code never changes its meaning. With an HTTP",
        "status it is the answer of the API; without one it stands in `error.code` of a failed job, or",
        "as the reason in `results.degraded`.", "",
        "| code | HTTP | meaning and what to do |", "| --- | --- | --- |",
        *(f"| `{code}` | {kind.http_status or ''} | {kind.sentence} |" for code, kind in ERRORS.items()),
    ]
    return ("\n".join(lines) + "\n").encode()


def stale(docs: Path = DOCS) -> list[str]:
    """Paths below `docs` that are missing, differ, or should no longer be there."""
    expected = generated()
    wrong = [path for path, data in expected.items() if not _same(docs / path, data)]
    return sorted([*wrong, *_left_over(docs, expected)])


def write(docs: Path = DOCS) -> None:
    expected = generated()
    for path, data in expected.items():
        (docs / path).parent.mkdir(parents=True, exist_ok=True)
        (docs / path).write_bytes(data)
    for path in _left_over(docs, expected):
        (docs / path).unlink()


def _same(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


def _left_over(docs: Path, expected: dict[str, bytes]) -> list[str]:
    present = [f"{folder}/{p.name}" for folder in FOLDERS for p in sorted((docs / folder).glob("*"))]
    return [path for path in present if path not in expected]


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode()


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print("usage: python -m shared.contracts.generate [--check]", file=sys.stderr)
        return 2
    if not arguments:
        write()
        return 0
    for path in (outdated := stale()):
        print(f"docs/{path} is not current: run python -m shared.contracts.generate", file=sys.stderr)
    return 1 if outdated else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
