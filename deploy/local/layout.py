"""Where one local stack keeps things and on which ports it listens."""

import hashlib
import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("ingest", "audio_worker", "video_worker", "fusion", "explain")
PORTS = {name: offset for offset, name in enumerate(SERVICES)} | {
    "kafka": 10, "kafka_controller": 11, "minio": 12,
}
DEFAULT_BASE = 17000
MAX_SOCKET_PATH = 100  # bytes; the kernel allows 107


@dataclass(frozen=True)
class Layout:
    """A stack: everything it keeps is below `state`, its ports are `base` and some above it."""

    state: Path
    base: int

    @staticmethod
    def from_environment() -> "Layout":
        """VERACITY_STATE_ROOT (default `.local` of this checkout); VERACITY_PORT_BASE (default: that of the
        last `up` there, else 17000)."""
        state = Path(os.environ.get("VERACITY_STATE_ROOT") or ROOT / ".local").absolute()
        remembered = state / "base.json"
        last = json.loads(remembered.read_text()) if remembered.exists() else DEFAULT_BASE
        return Layout(state, int(os.environ.get("VERACITY_PORT_BASE") or last))

    def remember(self) -> None:
        """Have later commands in this folder find the ports without being told."""
        (self.state / "base.json").write_text(json.dumps(self.base))

    def port(self, name: str) -> int:
        """Of a service or server."""
        return self.base + PORTS[name]

    def log(self, name: str) -> Path:
        """One log file a process."""
        return self.state / "logs" / f"{name}.log"

    @property
    def api(self) -> str:
        """URL of the API."""
        return f"http://127.0.0.1:{self.port('ingest')}"

    @property
    def environment_file(self) -> Path:
        """Where this stack's Kafka, object store and API are, for a shell to source."""
        return self.state / "env"

    @property
    def configuration(self) -> Path:
        """Of the supervisor."""
        return self.state / "supervisord.conf"

    @property
    def socket(self) -> Path:
        """The supervisor's; in a folder of the user's own elsewhere where the checkout lies too deep."""
        wanted = self.state / "supervisor.sock"
        if len(os.fsencode(wanted)) <= MAX_SOCKET_PATH:
            return wanted
        name = hashlib.sha256(os.fsencode(self.state)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"veracity-{os.getuid()}-{name}.sock"


def write_secret(file: Path, text: str) -> None:
    """Write a file that only this user reads; a reader never sees half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    fresh.replace(file)


def secret_key(state: Path) -> str:
    """The local object store's secret key: made once a stack, readable by its owner only."""
    file = state / "s3-secret-key"
    if not file.exists():
        write_secret(file, secrets.token_urlsafe(24))
    return file.read_text()
