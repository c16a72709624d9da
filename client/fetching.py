"""fetch: everything that a job left, as files."""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from client.failure import Exit, Failure, print_json, reporting
from client.options import Job, Json, Url

if TYPE_CHECKING:
    from client.service import Service

app = typer.Typer()
VERDICT = "verdict.json"


@app.command()
def fetch(
    job: Job,
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", file_okay=False, help="Made if it is not there.")
    ],
    url: Url,
    as_json: Json = False,
) -> None:
    """Save the verdict, the timeline and the pictures of a job that has ended."""
    with reporting(as_json):
        from client.service import connect

        with connect(url) as service:
            document = service.job(job)
            if document.get("status") in {"pending", "running"}:
                text = f"the job has not ended: veracity watch {job}"
                raise Failure(Exit.UNREACHABLE, "not_finished", text)
            files = _save(service, document, to)
        if as_json:
            print_json({"job_id": job, "status": document.get("status"), "files": [str(f) for f in files]})
        else:
            for file in files:
                typer.echo(file)
        if document.get("status") != "completed":
            raise typer.Exit(Exit.FAILED)


def safe_name(name: str) -> str:
    """A plain file name: no folder, no hidden file, nothing that a shell or terminal would obey."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".-")[:120] or "unnamed"


def _save(service: "Service", document: dict[str, object], to: Path) -> list[Path]:
    results = document.get("results")
    artifacts = results.get("artifacts", []) if isinstance(results, dict) else []
    try:
        to.mkdir(parents=True, exist_ok=True)
        saved = [_write(to / VERDICT, [json.dumps(document, indent=2, ensure_ascii=False).encode()])]
        for artifact in artifacts:
            target = to / safe_name(str(artifact.get("name")))
            if target in saved:
                target = to / f"{len(saved)}-{target.name}"
            saved.append(_download(service, str(artifact.get("url")), str(artifact.get("sha256")), target))
    except OSError as error:
        raise Failure(Exit.USAGE, "unwritable_folder", f"{to}: {error.strerror}") from error
    return saved


def _download(service: "Service", url: str, sha256: str, target: Path) -> Path:
    with service.download(url) as pieces:
        return _write(target, pieces, sha256)


def _write(target: Path, pieces: Iterable[bytes], sha256: str | None = None) -> Path:
    """The file appears whole and true, or not at all."""
    partial = target.with_name(f"{target.name}.part")
    digest = hashlib.sha256()
    try:
        with partial.open("wb") as file:
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
        if sha256 is not None and digest.hexdigest() != sha256:
            text = f"{target.name} is not what the job's report names: fetch again"
            raise Failure(Exit.UNREACHABLE, "wrong_checksum", text)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target
