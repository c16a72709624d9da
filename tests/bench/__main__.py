"""`python -m tests.bench [--only PART ...]`: writes `.local/bench.json` and `docs/benchmarks.md`.

Parts: join, faust, pipeline, latency, memory, explain. Takes about half an hour on 2 cores.
"""

import argparse
import sys
from collections.abc import Callable
from typing import Any

from deploy.local.layout import ROOT
from tests.bench import parts, report
from tests.bench.machine import describe

Part = Callable[[dict[str, Any]], None]
PARTS: dict[str, Part] = {
    "join": parts.join, "faust": parts.faust, "pipeline": parts.pipeline, "latency": parts.latency,
    "memory": parts.memory, "explain": parts.explain,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    figures = report.read()
    figures.setdefault("detail", {})
    for name in parser.parse_args().only:
        print(f"{name} ...", file=sys.stderr, flush=True)
        PARTS[name](figures)
        report.write(figures, describe())
    print(report.JSON_FILE.read_text())
    print(f"also written: {report.PAGE.relative_to(ROOT)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
