"""Progress on stderr, where it disturbs no pipe."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from client.following import Step
from client.service import Document, Sent


@contextmanager
def sending(name: str, *, quiet: bool) -> Iterator[Sent]:
    """A bar of bytes."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as bars:
        task = bars.add_task(f"sending {name}", total=None)
        yield lambda sent, size: bars.update(task, completed=sent, total=size)


def watching(steps: Iterable[Step], *, quiet: bool) -> Document:
    """Show each step; give the job once it has ended."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"), TimeElapsedColumn(),
    )
    job: Document = {}
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bars:
        task = bars.add_task("pending  segments", total=None, note="")
        for step in steps:
            windows = f"{step.windows_done}/{step.windows_total} windows" if step.windows_total else ""
            bars.update(
                task, description=f"{step.status:9}segments", completed=step.segments_done,
                total=step.segments_total, note=windows,
            )
            job = step.job or job
    return job
