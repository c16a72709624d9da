"""Options that several commands share."""

import os
from typing import Annotated

import typer


def default_url() -> str:
    """The local stack's API."""
    return f"http://127.0.0.1:{_port_base()}"


def default_bootstrap() -> str:
    """The local stack's broker."""
    return f"127.0.0.1:{_port_base() + 10}"


def _port_base() -> int:
    text = os.environ.get("VERACITY_PORT_BASE") or "17000"
    if not text.isdecimal() or not 0 < int(text) < 65_000:
        raise typer.BadParameter(f"VERACITY_PORT_BASE must be a port number, not {text!r}")
    return int(text)


Url = Annotated[
    str,
    typer.Option(
        "--url", envvar="VERACITY_URL", default_factory=default_url, show_default="the local stack",
        help="Where the service is.",
    ),
]
Bootstrap = Annotated[
    str,
    typer.Option(
        "--bootstrap-servers", envvar="KAFKA_BOOTSTRAP_SERVERS", default_factory=default_bootstrap,
        show_default="the local stack", help="Kafka brokers, host:port[,host:port].",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]
Timeout = Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds to wait for the end of the job.")]
Job = Annotated[str, typer.Argument(metavar="JOB", help="The job's id, as `submit` printed it.")]
