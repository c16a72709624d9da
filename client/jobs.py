"""submit, status, watch: a clip goes in, a verdict comes out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from client.failure import Exit, Failure, print_json, reporting
from client.options import Job, Json, Timeout, Url

if TYPE_CHECKING:
    from client.service import Document, Service

app = typer.Typer()


@app.command()
def submit(
    clip: Annotated[str, typer.Argument(metavar="FILE|URL", help="A media file, or an https URL.")],
    url: Url,
    wait: Annotated[bool, typer.Option("--wait", help="Stay for the verdict, and print it.")] = False,
    as_json: Json = False,
    idempotency_key: Annotated[
        str | None, typer.Option(help="A repeat with the same key and clip is the same job.")
    ] = None,
    top_k: Annotated[
        int | None, typer.Option(min=1, max=20, help="How many of the most anomalous frames to explain.")
    ] = None,
    timeout: Timeout = 1800,
) -> None:
    """Send a clip to be analysed."""
    with reporting(as_json):
        from client.bars import sending, watching
        from client.following import follow
        from client.service import Options, connect

        options = Options(top_k, idempotency_key)
        with connect(url) as service:
            if "://" in clip:
                accepted = service.submit_url(clip, options)
            else:
                path = Path(clip)
                with sending(path.name, quiet=as_json) as on_sent:
                    accepted = service.submit_file(path, options, on_sent)
            job_id = str(accepted["job_id"])
            if not wait:
                _accepted(accepted, as_json)
                return
            if not as_json:
                typer.echo(f"job {job_id}", err=True)
            job = watching(follow(service, job_id, timeout), quiet=as_json)
            _say(service, job, as_json)
            _end(job)


@app.command()
def status(job: Job, url: Url, as_json: Json = False) -> None:
    """Say how far a job is, and its verdict once it has one."""
    with reporting(as_json):
        from client.service import connect

        with connect(url) as service:
            document = service.job(job)
            _say(service, document, as_json)
            _end(document)


@app.command()
def watch(job: Job, url: Url, as_json: Json = False, timeout: Timeout = 1800) -> None:
    """Follow a job, segment by segment, until it has ended."""
    with reporting(as_json):
        from client.bars import watching
        from client.following import follow
        from client.service import connect

        with connect(url) as service:
            document = watching(follow(service, job, timeout), quiet=as_json)
            _say(service, document, as_json)
            _end(document)


def _accepted(accepted: "Document", as_json: bool) -> None:
    """Only what the service answered: asking again could fail, and the id would be lost."""
    if as_json:
        print_json(accepted)
        return
    typer.echo(accepted["job_id"])
    typer.echo(f"next: veracity watch {accepted['job_id']}", err=True)


def _say(service: "Service", job: "Document", as_json: bool) -> None:
    if as_json:
        print_json(job)
        return
    from pydantic import ValidationError

    from client.show import show
    from shared.contracts.job_view import JobView

    try:
        view = JobView.model_validate(job)
    except ValidationError as error:
        text = "the service speaks another version than this client: use --json, or update"
        raise Failure(Exit.UNREACHABLE, "unknown_version", text) from error
    show(view, service.absolute)


def _end(job: "Document") -> None:
    """The exit status says how the job ended; one that still runs has not failed."""
    if job.get("status") in {"failed", "cancelled"}:
        raise typer.Exit(Exit.FAILED)
