"""The figures as `.local/bench.json` for machines and `docs/benchmarks.md` for people."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.local.layout import ROOT

JSON_FILE = ROOT / ".local" / "bench.json"
PAGE = ROOT / "docs" / "benchmarks.md"
_HEAD = """# Benchmarks

`make bench` measures all of this on the machine it runs on and writes this page anew;
`make bench ARGS="--only NAME"` measures one part again and keeps the others.

"""


def write(figures: Mapping[str, Any], machine: Mapping[str, str]) -> None:
    JSON_FILE.parent.mkdir(exist_ok=True)
    JSON_FILE.write_text(json.dumps(figures, indent=2) + "\n")
    PAGE.write_text(page(figures, machine))


def read(path: Path = JSON_FILE) -> dict[str, Any]:
    """The figures of the last run, {} if there was none."""
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def page(figures: Mapping[str, Any], machine: Mapping[str, str]) -> str:
    lines = [_HEAD, "## Machine\n\n", *(f"- {name}: {value}\n" for name, value in machine.items())]
    lines += ["\n## Figures\n\n", "| what | measured | aim |\n", "| --- | --- | --- |\n"]
    lines += [f"| {what} | {value} | {aim} |\n" for what, value, aim in _rows(figures)]
    return "".join(lines)


def _rows(figures: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    detail = figures.get("detail", {})
    rows = []
    for preset, ratio in figures.get("pipeline_ratio", {}).items():
        part = detail.get("pipeline", {}).get(preset, {})
        seconds = f"{part.get('pipeline_s', 0):.1f} s against {part.get('bare_s', 0):.1f} s"
        rows.append((f"pipeline against a bare loop in one process, `{preset}`, {part.get('clips')} clips of "
                     f"10 s, {part.get('runtime')}", f"{ratio:.2f} ({seconds})", "at most 1.5, better 1.1"))
    if "first_score_s" in figures:
        rows.append(("first window score after submitting a 30 s clip (median)",
                     f"{figures['first_score_s']:.2f} s", "under 3 s"))
    if "submit_p99_ms" in figures:
        submit = detail.get("submit", {})
        rows.append(("submit answer, 500 kB files, 20 a second, open loop, workers stopped",
                     f"p99 {figures['submit_p99_ms']:.0f} ms, median {submit.get('p50', 0):.0f} ms",
                     "p99 under 50 ms"))
    if "join_cpu_ms" in figures:
        rows.append(("CPU of the join alone, per joined window", f"{figures['join_cpu_ms']:.2f} ms",
                     "at most 1 ms"))
    if "faust" in detail:
        rows.append(("joined windows a second through Faust, scoring included",
                     f"{detail['faust']:.0f}", "none"))
    for preset, seconds in figures.get("explain_s", {}).items():
        rows.append((f"explaining a job, `{preset}` (mean)", f"{seconds:.1f} s", "under 5 s"))
    short, long = detail.get("peak_mib_1_minute", {}), figures.get("peak_mib", {})
    for service, mib in long.items():
        base = short.get(service)
        growth = f", {100 * (mib / base - 1):+.0f} % over a 1 minute clip" if base else ""
        rows.append((f"peak memory of {service}, 10 minute clip", f"{mib:.0f} MiB{growth}", "at most +20 %"))
    return rows
