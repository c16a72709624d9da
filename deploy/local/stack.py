"""`python -m deploy.local.stack up|down|status|logs`: the whole system on one machine."""

import argparse
import os
import shlex
import socket
import sys
import time
from collections.abc import Sequence
from datetime import timedelta

from pydantic import SecretStr

from deploy.local import minio, programs
from deploy.local.cache import Say
from deploy.local.layout import Layout, write_secret
from deploy.local.programs import Program
from deploy.local.supervise import NotRunning, Supervisor, configuration

READY_WITHIN_S = 240.0
GIVE_UP_S = 20.0  # with a process that ends within a second of each start
MEDIA_BUCKET = "media"  # where upstream platforms may put what they ask about


class StackFailed(Exception):
    """The stack cannot be brought up; the text says what to do."""


def all_programs(layout: Layout) -> tuple[list[Program], list[Program]]:
    """The servers, then the services."""
    layout.log("any").parent.mkdir(parents=True, exist_ok=True)
    return programs.servers(layout), programs.services(layout, programs.pinned(layout.state))


def up(layout: Layout, say: Say) -> None:
    """Bring everything up and return when every part says that it is ready. May be repeated.

    Raises StackFailed."""
    if programs.store_given() and not {"S3_ACCESS_KEY", "S3_SECRET_KEY"} <= os.environ.keys():
        raise StackFailed("S3_ENDPOINT is set, so set S3_ACCESS_KEY and S3_SECRET_KEY too")
    servers, services = all_programs(layout)
    supervisor = Supervisor(layout)
    wanted = configuration(layout, [*servers, *services])
    current = layout.configuration.read_text() if layout.configuration.exists() else ""
    running = supervisor.running()
    if running and current != wanted:
        say("the settings changed: stopping the stack first")
    if not running or current != wanted:
        supervisor.end()
        _demand_free_ports([*servers, *services])
        write_secret(layout.configuration, wanted)
        layout.remember()
        supervisor.launch()
    connections = programs.connections(layout)
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in sorted(connections.items())]
    write_secret(layout.environment_file, "".join(lines))
    _start(layout, supervisor, servers, say)
    _prepare(connections, say)
    _start(layout, supervisor, services, say)
    say(f"up: {layout.api} (make status, make logs, make down)")


def _start(layout: Layout, supervisor: Supervisor, wanted: Sequence[Program], say: Say) -> None:
    for program in wanted:
        supervisor.start(program.name)
    began = told = time.monotonic()
    waiting = list(wanted)
    while waiting:
        for program in [p for p in waiting if not p.why_not()]:
            waiting.remove(program)
            say(f"{program.name}: ready after {time.monotonic() - began:.1f} s on port {program.port}")
        now = time.monotonic()
        if waiting and now - began > READY_WITHIN_S:
            raise StackFailed(_verdict(layout, waiting[0]))
        if waiting and now - told > 5:
            told = now
            if now - began > GIVE_UP_S and (ended := _keeps_ending(supervisor, waiting)):
                raise StackFailed(_verdict(layout, ended))
            say(f"waiting for {', '.join(p.name for p in waiting)} ({now - began:.0f} s)")
        time.sleep(0.1 if waiting else 0)


def _keeps_ending(supervisor: Supervisor, wanted: Sequence[Program]) -> Program | None:
    states = {name: info["statename"] for name, info in supervisor.processes().items()}
    return next((p for p in wanted if states[p.name] in {"BACKOFF", "FATAL"}), None)


def _verdict(layout: Layout, program: Program) -> str:
    log = layout.log(program.name)
    tail = log.read_text(errors="replace").splitlines()[-20:] if log.exists() else []
    return "\n".join([f"{program.name} is not ready ({program.why_not()}); the end of {log}:", *tail])


def _prepare(connections: dict[str, str], say: Say) -> None:
    """Topics, buckets, and the inbox bucket's notifications."""
    from shared.messaging.admin import create_topics, wait_for_broker
    from shared.messaging.settings import KafkaSettings
    from shared.storage.inbox import configure_inbox
    from shared.storage.s3 import open_store
    from shared.storage.settings import S3Settings

    kafka = KafkaSettings(bootstrap_servers=connections["KAFKA_BOOTSTRAP_SERVERS"])
    store = S3Settings(endpoint=connections["S3_ENDPOINT"], access_key=connections["S3_ACCESS_KEY"],
                       secret_key=SecretStr(connections["S3_SECRET_KEY"]))
    wait_for_broker(kafka, 60)
    made = create_topics(kafka)
    say(f"topics: {len(made)} made" if made else "topics: all there")
    for bucket in (store.bucket, MEDIA_BUCKET):
        open_store(store).within(bucket).ensure_buckets()
    if not programs.store_given():
        configure_inbox(store, minio.NOTIFY_ARN)
    say(f"buckets: {store.bucket}, {store.inbox_bucket}, {MEDIA_BUCKET}")


def _demand_free_ports(wanted: Sequence[Program]) -> None:
    for program in wanted:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", program.port))
            except OSError:
                raise StackFailed(f"port {program.port} for {program.name} is taken by another process: "
                                  "choose other ports, as in `make up PORT_BASE=18000`") from None


def down(layout: Layout, say: Say) -> None:
    """Stop what `up` started in this folder, and nothing else."""
    Supervisor(layout).end()
    say("down")


def status(layout: Layout, say: Say) -> bool:
    """Print one line a process; whether all are ready."""
    try:
        known = Supervisor(layout).processes()
    except NotRunning:
        say("the stack is down (`make up` starts it)")
        return False
    servers, services = all_programs(layout)
    say(f"{'PROCESS':14}{'STATE':10}{'PID':>8}  {'UPTIME':10}{'PORT':>6}  HEALTH")
    healthy = True
    for program in [*servers, *services]:
        info = known.get(program.name, {"statename": "UNKNOWN", "pid": 0, "start": 0, "now": 0})
        up_for = timedelta(seconds=info["now"] - info["start"]) if info["pid"] else "-"
        health = program.why_not() or "ready"
        healthy = healthy and health == "ready"
        say(f"{program.name:14}{info['statename'].lower():10}{info['pid'] or '-':>8}  {up_for!s:10}"
            f"{program.port:>6}  {health}")
    return healthy


def logs(layout: Layout, names: Sequence[str]) -> None:
    """Follow the log files; becomes `tail`."""
    files = [layout.log(name) for name in names] or sorted(layout.log("any").parent.glob("*.log"))
    os.execvp("tail", ["tail", "-n", "20", "-F", *map(str, files)])  # noqa: S606, S607 - found by PATH


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("up", "down", "status", "logs"))
    parser.add_argument("names", nargs="*", help="for logs: which processes")
    options = parser.parse_args()
    layout = Layout.from_environment()
    try:
        if options.action == "up":
            up(layout, _say)
        elif options.action == "down":
            down(layout, _say)
        elif options.action == "logs":
            logs(layout, options.names)
        else:
            return 0 if status(layout, _say) else 1
    except (StackFailed, NotRunning) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
