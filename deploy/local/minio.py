"""MinIO as the local object store: its settings, command and readiness. It is run, never linked.

`python -m deploy.local.minio` builds it when needed, then becomes the server process.
"""

import argparse
import os
import secrets
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import go_tools
from deploy.local.process import Server, die_with_parent
from shared.contracts.topics import INBOX

NOTIFY_ID = "VERACITY"
NOTIFY_ARN = f"arn:minio:sqs::{NOTIFY_ID}:kafka"


@dataclass(frozen=True)
class Credentials:
    """Root credentials of one local server."""

    access_key: str = "veracity"
    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)


def environment(credentials: Credentials, kafka_bootstrap: str | None, queue: Path) -> dict[str, str]:
    """What MinIO reads from its environment. With `kafka_bootstrap` events of buckets that ask for it are
    published there, and wait in the folder `queue` while Kafka is away."""
    settings = {
        "MINIO_ROOT_USER": credentials.access_key,
        "MINIO_ROOT_PASSWORD": credentials.secret_key,
        "MINIO_UPDATE": "off",
        "MINIO_BROWSER": "off",
        "MINIO_API_REQUESTS_MAX": "256",
    }
    if kafka_bootstrap:
        settings |= {
            f"MINIO_NOTIFY_KAFKA_ENABLE_{NOTIFY_ID}": "on",
            f"MINIO_NOTIFY_KAFKA_BROKERS_{NOTIFY_ID}": kafka_bootstrap,
            f"MINIO_NOTIFY_KAFKA_TOPIC_{NOTIFY_ID}": INBOX.name,
            f"MINIO_NOTIFY_KAFKA_QUEUE_DIR_{NOTIFY_ID}": str(queue),
        }
    return settings


def answers(endpoint: str) -> bool:
    """Whether the server there can serve reads and writes."""
    try:
        with urllib.request.urlopen(f"{endpoint}/minio/health/ready", timeout=2) as reply:  # noqa: S310
            return bool(reply.status == 200)
    except OSError:
        return False


class MinioServer(Server):
    """An S3 server on http://127.0.0.1:`port`, everything it keeps below `folder`."""

    def __init__(self, folder: Path, port: int, credentials: Credentials | None = None,
                 kafka_bootstrap: str | None = None) -> None:
        self.folder, self.endpoint = folder, f"http://127.0.0.1:{port}"
        self.credentials = credentials or Credentials()
        super().__init__("minio", command(folder, port, die=True), folder / "minio.log",
                         lambda: answers(self.endpoint),
                         environment(self.credentials, kafka_bootstrap, folder / "events"))


def command(folder: Path, port: int, *, die: bool = False) -> list[str]:
    """The command line that runs the server; with `die` it ends with its parent."""
    return [sys.executable, "-m", __name__, str(folder), "--port", str(port),
            *(["--die-with-parent"] if die else [])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--die-with-parent", action="store_true")
    options = parser.parse_args()
    if options.die_with_parent:
        die_with_parent()
    folder = options.folder.absolute()
    (folder / "events").mkdir(parents=True, exist_ok=True)
    binary = str(go_tools.ensure(go_tools.MINIO, print))
    listen = f"127.0.0.1:{options.port}"
    os.execv(binary, [binary, "server", "--quiet", "--address", listen, str(folder / "data")])  # noqa: S606


if __name__ == "__main__":
    main()
