"""How a command ends: one exit status a kind of end, and one shape for what went wrong."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer


class Exit(IntEnum):
    """The process's exit status."""

    ANALYSED = 0
    USAGE = 2
    REJECTED = 3
    FAILED = 4
    UNREACHABLE = 5  # or out of time


class Failure(Exception):
    """A command cannot go on. `code` is stable, `message` is for people and says what to do next."""

    def __init__(self, exit_status: Exit, code: str, message: str) -> None:
        self.exit_status, self.code, self.message = exit_status, code, message
        super().__init__(f"{code}: {message}")


@contextmanager
def reporting(as_json: bool) -> Iterator[None]:
    """End the command with the failure's status and text; with `as_json` as one document on stdout."""
    try:
        yield
    except Failure as failure:
        if as_json:
            print_json({"error": {"code": failure.code, "message": failure.message}})
        else:
            typer.secho(f"{failure.code}: {printable(failure.message)}", fg="red", err=True)
        raise typer.Exit(failure.exit_status) from failure


def print_json(document: object) -> None:
    """The one document of a `--json` command."""
    print(json.dumps(document, indent=2, ensure_ascii=False))


def printable(text: str) -> str:
    """`text` without what a terminal would obey: a server's words may hold a stranger's."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)
