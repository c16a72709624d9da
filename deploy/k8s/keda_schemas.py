"""KEDA's own resource schemas, read from its Go module at a pinned version."""

import json
import os
import shutil
import subprocess
import sys
from functools import cache as memoise
from pathlib import Path
from typing import Any

import yaml

from deploy.local import cache

MODULE, VERSION = "github.com/kedacore/keda/v2", "v2.21.0"


def fetch(say: cache.Say) -> Path:
    """The folder of KEDA's resource definitions; downloads the module the first time."""

    def make(folder: Path) -> None:
        say(f"keda: fetching the resource definitions of {VERSION} (once)")
        downloaded = subprocess.run(  # noqa: S603 - our own command
            [str(Path(sys.executable).with_name("go")), "mod", "download", "-json", f"{MODULE}@{VERSION}"],
            env=os.environ | {
                "GOTOOLCHAIN": "local", "GOFLAGS": "-modcacherw", "GOMODCACHE": str(folder / "modules"),
            },
            cwd=folder, stdout=subprocess.PIPE, text=True, check=True,
        )
        for crd in (Path(json.loads(downloaded.stdout)["Dir"]) / "config/crd/bases").glob("*.yaml"):
            (folder / crd.name).write_bytes(crd.read_bytes())
        shutil.rmtree(folder / "modules")

    return cache.install(f"keda-schemas-{VERSION}", make, say)


@memoise
def schema(folder: Path, kind: str, version: str) -> dict[str, Any]:
    """The OpenAPI schema of a KEDA kind. Raises KeyError for one that KEDA does not define."""
    for path in folder.glob("*.yaml"):
        crd = yaml.safe_load(path.read_text())
        if crd["spec"]["names"]["kind"] == kind:
            for served in crd["spec"]["versions"]:
                if served["name"] == version:
                    found: dict[str, Any] = served["schema"]["openAPIV3Schema"]
                    return found
    raise KeyError(f"KEDA {VERSION} defines no {kind} {version}")

