"""topics create, topics describe."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from client.failure import Exit, Failure, print_json, reporting
from client.options import Bootstrap, Json

if TYPE_CHECKING:
    from shared.messaging.settings import KafkaSettings

app = typer.Typer(no_args_is_help=True)


@app.command()
def create(
    bootstrap: Bootstrap,
    partitions: Annotated[int | None, typer.Option(min=1, help="Instead of the table's.")] = None,
    replication: Annotated[int | None, typer.Option(min=1, help="Instead of the broker's default.")] = None,
    as_json: Json = False,
) -> None:
    """Make the topics that do not exist yet; leave the others as they are."""
    with reporting(as_json), broker(bootstrap) as settings:
        from shared.contracts.topics import TOPICS
        from shared.messaging.admin import create_topics

        made = create_topics(settings, partitions, replication)
        present = [topic.name for topic in TOPICS if topic.name not in made]
        if as_json:
            print_json({"created": made, "present": present})
            return
        for name in made:
            typer.echo(f"created  {name}")
        for name in present:
            typer.echo(f"present  {name}")


@app.command()
def describe(bootstrap: Bootstrap, as_json: Json = False) -> None:
    """Say what the broker has, and where that differs from the table."""
    with reporting(as_json), broker(bootstrap) as settings:
        from shared.contracts.topics import TOPICS
        from shared.messaging.admin import describe_topics

        found = describe_topics(settings)
        differing = {
            topic.name: {key: wanted for key, wanted in topic.config().items()
                         if found[topic.name].get(key) != wanted}
            for topic in TOPICS if topic.name in found
        }
        missing = [topic.name for topic in TOPICS if topic.name not in found]
        if as_json:
            differing = {name: keys for name, keys in differing.items() if keys}
            print_json({"topics": found, "missing": missing, "expected": differing})
            return
        for name, facts in found.items():
            typer.echo(f"{name}: {', '.join(f'{key} {value}' for key, value in facts.items())}")
            for key, wanted in differing[name].items():
                typer.secho(f"  {key} should be {wanted}", fg="yellow")
        for name in missing:
            typer.secho(f"{name}: missing, make it with veracity topics create", fg="red")


@contextmanager
def broker(bootstrap: str) -> Iterator["KafkaSettings"]:
    """Settings for `bootstrap`; a broker that is away is a `Failure`."""
    from shared.contracts.outcomes import Transient
    from shared.messaging.admin import wait_for_broker
    from shared.messaging.settings import KafkaSettings

    settings = KafkaSettings(bootstrap_servers=bootstrap)
    try:
        wait_for_broker(settings, timeout_s=3.0)
        yield settings
    except Transient as error:
        text = f"{bootstrap}: {error}; start it (make up), or name it by KAFKA_BOOTSTRAP_SERVERS"
        raise Failure(Exit.UNREACHABLE, "broker_unreachable", text) from error
