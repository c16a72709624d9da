"""dlq list, dlq show, dlq replay. A dead letter is named by its place: partition:offset."""

from typing import TYPE_CHECKING, Annotated

import typer

from client.failure import Exit, Failure, print_json, printable, reporting
from client.options import Bootstrap, Json
from client.topics import broker

if TYPE_CHECKING:
    from client.replay import Report
    from shared.messaging.dead_letters import DeadLetter
    from shared.messaging.settings import KafkaSettings

app = typer.Typer(no_args_is_help=True)
Reason = Annotated[str | None, typer.Option(help="Only those with this reason.")]
Place = Annotated[str, typer.Argument(metavar="PLACE", help="partition:offset, as `list` prints it.")]


@app.command("list")
def list_letters(bootstrap: Bootstrap, reason: Reason = None, as_json: Json = False) -> None:
    """All dead letters, with their reasons."""
    with reporting(as_json), broker(bootstrap) as settings:
        from client.replay import summary

        found = _select(settings, [], reason)
        if as_json:
            print_json({"dead_letters": [summary(letter) for letter in found]})
            return
        for letter in found:
            origin = f"{letter.topic}[{letter.partition}]@{letter.offset}"
            typer.echo(
                printable(
                    f"{letter.place:>8}  {letter.reason}  {origin}  by {letter.service}, "
                    f"{letter.attempts} attempts: {letter.detail[:200]}"
                )
            )
        typer.echo(f"{len(found)} dead letters", err=True)


@app.command()
def show(place: Place, bootstrap: Bootstrap, as_json: Json = False) -> None:
    """One dead letter, whole: its history, headers and bytes."""
    with reporting(as_json), broker(bootstrap) as settings:
        from client.replay import content, summary

        letter = _select(settings, [place], None)[0]
        document = summary(letter) | content(letter)
        if as_json:
            print_json(document)
            return
        for key, value in document.items():
            typer.echo(printable(f"{key}: {value}"))


@app.command()
def replay(
    bootstrap: Bootstrap,
    places: Annotated[list[str] | None, typer.Argument(metavar="PLACE...", help="partition:offset")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All, or all of --reason.")] = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Put records back where they came from: same topic, partition, key, headers and bytes."""
    with reporting(as_json):
        if bool(places) == everything:
            raise Failure(Exit.USAGE, "nothing_named", "name dead letters by partition:offset, or --all")
        with broker(bootstrap) as settings:
            from client.replay import put_back

            report = put_back(settings, _select(settings, places or [], reason))
        _tell(report, as_json)
        if report.refused:
            raise typer.Exit(Exit.REJECTED)


def _tell(report: "Report", as_json: bool) -> None:
    if as_json:
        print_json({"replayed": report.replayed, "refused": report.refused})
        return
    for done in report.replayed:
        typer.echo(f"{done['id']}: put back on {done['topic']}[{done['partition']}]")
    for refused in report.refused:
        line = f"{refused['id']}: {refused['code']}: {refused['message']}"
        typer.secho(printable(line), fg="red", err=True)


def _select(settings: "KafkaSettings", places: list[str], reason: str | None) -> "list[DeadLetter]":
    from shared.messaging.dead_letters import dead_letters

    found = {letter.place: letter for letter in dead_letters(settings)}
    if missing := [place for place in places if place not in found]:
        text = f"no dead letter at {', '.join(missing)}: see veracity dlq list"
        raise Failure(Exit.REJECTED, "not_found", text)
    chosen = [found[place] for place in dict.fromkeys(places)] if places else list(found.values())
    return [letter for letter in chosen if reason is None or letter.reason == reason]
