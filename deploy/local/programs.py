"""What a local stack runs: each program's command, environment and question "are you ready?"."""

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import kafka, minio
from deploy.local.layout import SERVICES, Layout, secret_key

Pins = dict[str, str]


@dataclass(frozen=True)
class Program:
    """One supervised process. `why_not` gives "" when it is ready, else what it waits for."""

    name: str
    command: list[str]
    port: int
    why_not: Callable[[], str]
    environment: dict[str, str] = field(default_factory=dict)
    stop_s: int = 60


def kafka_given() -> bool:
    """Whether the environment names a broker to use instead of a local one."""
    return bool(os.environ.get("KAFKA_BOOTSTRAP_SERVERS"))


def store_given() -> bool:
    """Whether the environment names an object store to use instead of a local one."""
    return bool(os.environ.get("S3_ENDPOINT"))


def connections(layout: Layout) -> dict[str, str]:
    """Where Kafka and the object store are, for every service and for whoever talks to this stack."""
    found = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{layout.port('kafka')}"}
    if not store_given():
        found |= {"S3_ENDPOINT": f"http://127.0.0.1:{layout.port('minio')}",
                  "S3_ACCESS_KEY": minio.Credentials.access_key, "S3_SECRET_KEY": secret_key(layout.state)}
    given = {name: value for name, value in os.environ.items() if name.startswith(("KAFKA_", "S3_"))}
    return found | given | {"VERACITY_URL": layout.api}


def servers(layout: Layout) -> list[Program]:
    """Kafka and the object store, less what the environment gives."""
    programs = []
    folder, port = layout.state / "kafka", layout.port("kafka")
    if not kafka_given():
        command = kafka.command(folder, port, layout.port("kafka_controller"))
        programs.append(Program("kafka", command, port, lambda: "" if kafka.answers(port) else "no answer"))
    if not store_given():
        programs.append(_minio(layout))
    return programs


def _minio(layout: Layout) -> Program:
    folder, port = layout.state / "minio", layout.port("minio")
    endpoint = f"http://127.0.0.1:{port}"
    credentials = minio.Credentials(secret_key=secret_key(layout.state))
    bootstrap = connections(layout)["KAFKA_BOOTSTRAP_SERVERS"]
    return Program("minio", minio.command(folder, port), port,
                   lambda: "" if minio.answers(endpoint) else "no answer",
                   minio.environment(credentials, bootstrap, folder / "events"))


def services(layout: Layout, pins: Pins) -> list[Program]:
    """The five services."""
    return [_service(layout, name, pins) for name in SERVICES]


def _service(layout: Layout, name: str, pins: Pins) -> Program:
    port = layout.port(name)
    # ingest's folder is its own; fusion makes one below.
    state = layout.state / "state" / ("ingest" if name == "ingest" else "")
    environment = {
        "VERACITY_HTTP_HOST": "127.0.0.1",
        "VERACITY_HTTP_PORT" if name == "ingest" else "VERACITY_METRICS_PORT": str(port),
        "VERACITY_STATE_DIR": str(state),
        "VERACITY_BUNDLE": os.environ.get("VERACITY_BUNDLE", "compact"),
        "VERACITY_INSTANCE": f"{name}-0",
        "OMP_NUM_THREADS": pins["VERACITY_THREADS"],
        "OMP_WAIT_POLICY": "PASSIVE",  # services share the cores: spinning costs them all
        "HF_HUB_OFFLINE": os.environ.get("HF_HUB_OFFLINE", "1"),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", f"services.{name}"]
    return Program(name, command, port, lambda: readiness(port), connections(layout) | environment | pins)


def readiness(port: int) -> str:
    """"" when /readyz there says 200, else its reasons in one line."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=3):
            return ""
    except urllib.error.HTTPError as error:
        return f"not ready: {error.read(500).decode(errors='replace').strip()}"
    except OSError:
        return "no answer"


def pinned(state: Path) -> Pins:
    """Device, dtype and threads of the models: chosen at the first `up` and kept, since they change last bits
    of the results. VERACITY_DEVICE, VERACITY_DTYPE, VERACITY_THREADS choose otherwise."""
    names = ("VERACITY_DEVICE", "VERACITY_DTYPE", "VERACITY_THREADS")
    file = state / "pins.json"
    pins: Pins = json.loads(file.read_text()) if file.exists() else {}
    given = {name: os.environ[name] for name in names if os.environ.get(name)}
    if not pins or given:
        pins |= given
        if not all(name in pins for name in names):
            from shared.models.runtime import choose  # costs seconds, and only the first time

            threads = pins.get("VERACITY_THREADS") or str(max(1, len(os.sched_getaffinity(0)) // 2))
            device, dtype = (pins.get(name, "auto") for name in names[:2])
            runtime = choose(device, dtype, int(threads))
            pins = dict(zip(names, str(runtime).split("/"), strict=True))
        file.write_text(json.dumps(pins))
    return pins
