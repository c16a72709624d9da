"""`python -m deploy.local.demo`: give the demo clip and its twins to the running stack, as a user would."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from deploy.local.demo import twins
from deploy.local.layout import Layout

CLIP = Path(__file__).with_name("clip.mp4")
MADE = {"clip": "genuine", "face-blended": "face blended", "sound-shifted": f"{twins.SHIFT_S} s late"}


def main() -> int:
    """Exit status of the first `veracity` command that failed, else 0."""
    layout = Layout.from_environment()
    folder = layout.state / "demo"
    console = Console(highlight=False, soft_wrap=True)
    console.print("making the manipulated twins of the demo clip")
    jobs = {}
    for clip in (CLIP, *twins.make(CLIP, folder / "clips")):
        to = folder / clip.stem
        try:
            console.print(f"\n$ veracity submit {clip.name} --wait", style="bold")
            accepted = json.loads(_veracity(layout, "submit", str(clip), "--json", capture=True))
            _veracity(layout, "watch", accepted["job_id"])
            console.print(f"$ veracity fetch {accepted['job_id']} --to {to}", style="bold")
            _veracity(layout, "fetch", accepted["job_id"], "--to", str(to), capture=True)
        except subprocess.CalledProcessError as error:
            console.print(error.stdout or "")
            return error.returncode
        jobs[clip.stem] = json.loads((to / "verdict.json").read_text())
    console.print(_table(jobs))
    for name, job in jobs.items():
        console.print(f"{name}: {folder / name}, {layout.api}/api/v1/jobs/{job['job_id']}")
    console.print(jobs["clip"]["results"]["reason"] or "")
    console.print("The stack stays up: make status, make logs, make down.")
    return 0


def _veracity(layout: Layout, *arguments: str, capture: bool = False) -> str:
    command = [str(Path(sys.executable).with_name("veracity")), *arguments]
    done = subprocess.run(  # noqa: S603 - our own command
        command, env=os.environ | {"VERACITY_URL": layout.api}, check=True, text=True,
        stdout=subprocess.PIPE if capture else None)
    return done.stdout or ""


def _table(jobs: Mapping[str, dict[str, Any]]) -> Table:
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    for heading in ("clip", "made as", "verdict", "p_fake", "interval", "video", "audio"):
        table.add_column(heading, no_wrap=True)
    for name, job in jobs.items():
        results = job["results"]
        parts = results["modalities"]
        scores = (f"{parts[m]['p_fake']:.2f}" if m in parts else "-" for m in ("video", "audio"))
        low, high = results["interval"]
        table.add_row(name, MADE[name], results["verdict"], f"{results['p_fake']:.2f}",
                      f"{low:.2f}-{high:.2f}", *scores)
    return table


if __name__ == "__main__":
    sys.exit(main())
