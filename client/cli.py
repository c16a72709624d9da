"""The `veracity` command. Each group is a file; what a command needs is imported when it runs."""

import typer

from client import dead_letters, doctoring, fetching, jobs, topics

app = typer.Typer(
    help="Says whether a talking-head video is genuine, and shows why.",
    no_args_is_help=True, pretty_exceptions_enable=False,
    epilog="Exit status: 0 analysed, 2 wrong usage, 3 input rejected, 4 analysis failed, "
    "5 service unreachable or out of time.",
)
for group in (jobs, fetching, doctoring):
    app.add_typer(group.app)
app.add_typer(topics.app, name="topics", help="For operators: the Kafka topics.")
app.add_typer(dead_letters.app, name="dlq", help="For operators: records that no service could process.")
