"""The parts of the benchmark: each fills in its figures."""

import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.local.layout import ROOT, SERVICES
from tests.bench import bare, faust_rate, join_cpu, load, open_loop
from tests.bench.memory import PeakMemory
from tests.bench.scrape import metric_sum
from tests.support.clip_files import Frames, Samples, read_clip, repeated, write_clip
from tests.support.local_stack import LocalStack

STATE = ROOT / ".local" / "bench"
BASE_PORT = 27300
CLIPS, CLIP_SECONDS = 20, 10
Figures = dict[str, Any]


def join(figures: Figures) -> None:
    figures["join_cpu_ms"] = round(join_cpu.join_cpu_ms(), 3)


def faust(figures: Figures) -> None:
    figures["detail"]["faust"] = round(faust_rate.windows_per_second(STATE / "faust"), 1)


def pipeline(figures: Figures) -> None:
    """Both sides of a ratio are measured back to back on the same machine with the same bundle and pins."""
    frames, samples = _demo()
    clips = [write_clip(*_variant(frames, samples, number)) for number in range(CLIPS)]
    for preset, bundle in _bundles().items():
        with _stack({"VERACITY_BUNDLE": bundle}) as stack:
            load.seconds_to_verdicts(stack, clips[:2], 300)  # caches and kernels are warm on both sides
            whole = load.seconds_to_verdicts(stack, clips, 1800)
        alone = bare.measure(bundle, clips, STATE / "bare")
        figures.setdefault("pipeline_ratio", {})[preset] = round(whole / alone.seconds, 3)
        figures["detail"].setdefault("pipeline", {})[preset] = {
            "pipeline_s": round(whole, 2), "bare_s": round(alone.seconds, 2), "clips": CLIPS,
            "windows": alone.windows, "runtime": alone.runtime,
        }


def latency(figures: Figures) -> None:
    frames, samples = _demo()
    half_minute = write_clip(*repeated(frames, samples, 30))
    with _stack({}) as stack:
        load.seconds_to_verdicts(stack, [half_minute], 300)
        firsts = [load.seconds_to_first_score(stack, half_minute) for _ in range(5)]
        figures["first_score_s"] = round(statistics.median(firsts), 3)
        for worker in ("audio_worker", "video_worker", "explain"):
            stack.stop(worker)
        demo = (ROOT / "deploy" / "local" / "demo" / "clip.mp4").read_bytes()
        submit = open_loop.submit_percentiles_ms(stack.url, demo)
        figures["submit_p99_ms"] = round(submit["p99"], 1)
        figures["detail"]["submit"] = {name: round(value, 1) for name, value in submit.items()}
        figures["detail"]["first_score_s"] = [round(value, 3) for value in firsts]


def memory(figures: Figures) -> None:
    """Each length on a stack of its own, since peaks do not come down again."""
    figures["detail"]["peak_mib_1_minute"] = _peaks(60)
    figures["peak_mib"] = _peaks(600)


def explain(figures: Figures) -> None:
    demo = (ROOT / "deploy" / "local" / "demo" / "clip.mp4").read_bytes()
    for preset, bundle in _bundles().items():
        with _stack({"VERACITY_BUNDLE": bundle}) as stack:
            for _ in range(4):
                load.seconds_to_completion(stack, demo)
            url = f"http://127.0.0.1:{stack.layout.port('explain')}"
            seconds = metric_sum(url, "veracity_explain_seconds_sum")
            count = metric_sum(url, "veracity_explain_seconds_count")
        figures.setdefault("explain_s", {})[preset] = round(seconds / count, 2)


def _peaks(seconds: int) -> dict[str, float]:
    clip = write_clip(*repeated(*_demo(), seconds))
    with _stack({}) as stack, PeakMemory(stack.pids) as memory:
        load.seconds_to_completion(stack, clip)
    return {name: round(memory.peak_mib[name], 1) for name in SERVICES}


def _demo() -> tuple[Frames, Samples]:
    return read_clip(ROOT / "deploy" / "local" / "demo" / "clip.mp4")


def _variant(frames: Frames, samples: Samples, number: int) -> tuple[Frames, Samples]:
    """Ten seconds that start elsewhere in the clip, so that no two files are equal."""
    more, sound = repeated(frames, samples, CLIP_SECONDS + 2)
    start = number * 2  # frames at 25 FPS; 640 samples each
    return more[start : start + CLIP_SECONDS * 25], sound[start * 640 : (start + CLIP_SECONDS * 25) * 640]


def _bundles() -> Mapping[str, str]:
    """`contract-v1` gets random weights of the full sizes: speed does not depend on their values."""
    folder = STATE / "contract-v1"
    if not (folder / "bundle.json").exists():
        command = [sys.executable, "-m", "shared.models.make_bundle", "--preset", "contract-v1", "--random",
                   "--to", str(folder)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)  # noqa: S603 - our own command
    return {"compact": "compact", "contract-v1": str(folder)}


@contextmanager
def _stack(environment: Mapping[str, str]) -> Iterator[LocalStack]:
    stack = LocalStack(Path(STATE / "stack"), BASE_PORT, environment)
    stack.down()
    stack.wipe()
    with stack:
        yield stack
