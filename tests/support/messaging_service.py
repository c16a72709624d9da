"""Starts `messaging_process` for a rig."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import messaging_process
from tests.support.messaging import Rig


@contextmanager
def service(on: Rig, hold_job: str, hold_file: Path) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A process that serves the test's topic, and the lines it has printed so far."""
    kafka = {
        "KAFKA_BOOTSTRAP_SERVERS": on.kafka.bootstrap_servers,
        "KAFKA_GROUP_PROTOCOL": on.kafka.group_protocol,
        "KAFKA_OVERRIDES": json.dumps(on.kafka.overrides),
    }
    process = subprocess.Popen(  # noqa: S603 our own module
        [sys.executable, "-m", messaging_process.__name__, on.topic, on.group, hold_job, str(hold_file)],
        stdout=subprocess.PIPE, text=True, env=os.environ | kafka,
    )
    lines: list[str] = []
    out = process.stdout
    assert out is not None

    def read() -> None:
        lines.extend(line.strip() for line in iter(out.readline, ""))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield process, lines
    finally:
        process.kill()
        process.wait()
        reader.join()
        out.close()
