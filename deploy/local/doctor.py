"""Names what is missing, too old or taken before anything is built. Needs Python alone, 3.7 or newer.

`--before-setup` says nothing where all is well and leaves the ports alone.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import shutil
import socket
import sys
from urllib.parse import urlsplit

PYTHON = (3, 11)
GLIBC = (2, 28)
DISK_GB = 12
MEMORY_GB = 6
PORTS = {0: "ingest", 1: "audio_worker", 2: "video_worker", 3: "fusion", 4: "explain",
         10: "kafka", 11: "kafka controller", 12: "minio"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before-setup", action="store_true")
    quiet = parser.parse_args().before_setup
    checks = [python(), venv(), system(), libc(), make(), disk(), memory()]
    if not quiet:
        checks.extend(ports())
    for good, text, advice in checks:
        if not (quiet and good):
            print("{}  {}{}".format("ok  " if good else "FAIL", text, "" if good else "\n      -> " + advice))
    return 0 if all(good for good, _, _ in checks) else 1


def python() -> tuple[bool, str, str]:
    found = "Python {}.{}".format(*sys.version_info[:2])
    wanted = "install Python 3.11 or newer and run `make PYTHON=python3.12 ...`"
    return sys.version_info[:2] >= PYTHON, found, wanted


def venv() -> tuple[bool, str, str]:
    there = importlib.util.find_spec("venv") is not None and importlib.util.find_spec("ensurepip") is not None
    return there, "Python's venv and ensurepip modules", "on Debian and Ubuntu: apt install python3-venv"


def libc() -> tuple[bool, str, str]:
    name, version = platform.libc_ver()
    parts = tuple(int(part) for part in version.split(".")[:2]) if version else (0, 0)
    return name == "glibc" and parts >= GLIBC, f"C library: {name or 'unknown'} {version}", (
        "use a Linux with glibc {}.{} or newer (no Alpine): packages with native code need it".format(*GLIBC))


def system() -> tuple[bool, str, str]:
    there = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")
    return there, f"Linux on {platform.machine()}", "use Linux on x86_64 or aarch64"


def make() -> tuple[bool, str, str]:
    return shutil.which("make") is not None, "make", "install GNU make"


def disk() -> tuple[bool, str, str]:
    if os.path.exists(".venv/installed"):
        return True, "disk: already installed", ""
    free = shutil.disk_usage(".").free / 1e9
    advice = "free some disk: the Python packages alone take 6 GB"
    return free >= DISK_GB, f"{free:.0f} GB of disk free, {DISK_GB} wanted", advice


def memory() -> tuple[bool, str, str]:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    advice = "use a larger machine, or bring Kafka and the object store from elsewhere (README)"
    return total >= MEMORY_GB, f"{total:.0f} GB of memory, {MEMORY_GB} wanted", advice


def ports() -> list[tuple[bool, str, str]]:
    if _stack_is_up():
        return [(True, "ports: this folder's stack is up (make status)", "")]
    base = int(os.environ.get("VERACITY_PORT_BASE", "17000"))
    given = {10: "KAFKA_BOOTSTRAP_SERVERS", 11: "KAFKA_BOOTSTRAP_SERVERS", 12: "S3_ENDPOINT"}
    found = [reachable(name) for name in sorted(set(given.values())) if os.environ.get(name)]
    for offset, name in PORTS.items():
        if os.environ.get(given.get(offset, "")):
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", base + offset))
                taken = False
            except OSError:
                taken = True
        text = f"port {base + offset} for {name}"
        found.append((not taken, text, "it is taken: use other ports, e.g. `make up PORT_BASE=18000`"))
    return found


def reachable(name: str) -> tuple[bool, str, str]:
    """A server that the environment names: whether anything listens there."""
    value = os.environ[name].split(",")[0]
    place = urlsplit(value if "://" in value else f"kafka://{value}")
    port = place.port or (443 if place.scheme == "https" else 80)
    try:
        socket.create_connection((place.hostname or "", port), timeout=3).close()
        there = True
    except OSError:
        there = False
    advice = f"start that server, or unset {name} to have a local one"
    return there, f"{name}={os.environ[name]} answers", advice


def _stack_is_up() -> bool:
    try:
        with open(".local/supervisord.pid") as file:
            os.kill(int(file.read()), 0)
    except (OSError, ValueError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
