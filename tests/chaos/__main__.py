"""`python -m tests.chaos`: 100 jobs while services and broker are killed at random; then the account.

The same jobs run first on a quiet stack, then on a second one with the same keys (so the same job ids)
under the storm. Every verdict of the second must be there and equal, byte for byte, to the first's.
Writes `.local/chaos.json`; exit status 1 unless nothing was lost, nothing differs and no lag is left.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence

from deploy.local.layout import ROOT
from shared.contracts.topics import (
    AUDIO_EMBEDDINGS,
    JOB_CONTROL,
    JOBS,
    VERDICTS,
    VIDEO_EMBEDDINGS,
    VIDEO_EVENTS,
)
from shared.messaging.lag import group_lag
from tests.chaos.account import settle
from tests.chaos.clips import Clip, ten_clips
from tests.chaos.load import Verdicts, submit, wait_for
from tests.chaos.storm import Storm
from tests.support.local_stack import LocalStack

STATE = ROOT / ".local"
DEMO = ROOT / "deploy" / "local" / "demo" / "clip.mp4"
WEIGHTS = {"ingest": 3, "audio_worker": 3, "video_worker": 4, "fusion": 4, "explain": 2, "kafka": 2}
GROUPS = [
    ("veracity-planner", JOBS.name), ("audio-worker", VIDEO_EVENTS.name), ("video-worker", VIDEO_EVENTS.name),
    ("fusion", JOB_CONTROL.name), ("fusion", AUDIO_EMBEDDINGS.name), ("fusion", VIDEO_EMBEDDINGS.name),
    ("explain", VERDICTS.name),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=6.0, help="seconds between kills, on average")
    parser.add_argument("--base", type=int, default=27000, help="first port of the two stacks")
    parser.add_argument("--patience", type=float, default=1800, help="seconds for the work to end")
    options = parser.parse_args()
    clips = ten_clips(DEMO)
    say(f"{len(clips)} clips made; first the quiet run of {options.jobs} jobs")
    stack = _stack("quiet", options.base)
    with stack:
        jobs, quiet = _run(stack, clips, options, storm=None)
        expected = {job: quiet.by_job[job][0] for job in jobs}
    say(f"now the same jobs through {options.kills} kills (seed {options.seed})")
    stack = _stack("storm", options.base + 100)
    with stack:
        storm = Storm(stack.pids, WEIGHTS, seed=options.seed, mean_s=options.every, enough=options.kills)
        _, stormy = _run(stack, clips, options, storm=storm)
        lag = wait_for(lambda: (_lag(stack),), "the lag", 60)[0]
    account = settle(expected, stormy.by_job, kills=storm.kills, lag=lag, seed=options.seed)
    result = json.dumps(account.to_dict() | {"killed": dict(sorted(storm.killed.items()))}, indent=2)
    (STATE / "chaos.json").write_text(result + "\n")
    print(result)
    return 0 if account.good and account.kills >= options.kills else 1


def _run(
    stack: LocalStack, clips: Sequence[Clip], options: argparse.Namespace, storm: Storm | None
) -> tuple[list[str], Verdicts]:
    """Submits all jobs (spread over the storm, where there is one), waits until all have a verdict and no
    group lags. A job that never gets its verdict is left to the account."""
    verdicts, began = Verdicts(stack.kafka), time.monotonic()
    with verdicts.follow():
        if storm:
            storm.__enter__()
        jobs = []
        for number in range(options.jobs):
            clip = clips[number % len(clips)]
            if storm:  # spread over the first half of the kills
                _wait_for_kills(storm, options.kills * number // (2 * options.jobs))
            jobs.append(submit(stack.url, clip, f"chaos-{clip.name}-{number}"))
        say(f"{len(jobs)} jobs taken after {time.monotonic() - began:.0f} s")
        done = _Progress(stack, verdicts, jobs, storm)
        try:
            wait_for(done, "the work", options.patience, every_s=2)
        except TimeoutError as fault:
            say(str(fault))
        if storm:
            storm.__exit__()
    say(f"{verdicts.have(jobs)} verdicts after {time.monotonic() - began:.0f} s")
    return jobs, verdicts


class _Progress:
    """Whether all is over: the kills, the verdicts, the lag. Says how far it is every 20 s."""

    def __init__(
        self, stack: LocalStack, verdicts: Verdicts, jobs: Sequence[str], storm: Storm | None
    ) -> None:
        self._stack, self._verdicts, self._jobs, self._storm = stack, verdicts, jobs, storm
        self._said = time.monotonic()

    def __call__(self) -> bool:
        have = self._verdicts.have(self._jobs)
        if time.monotonic() - self._said > 20:
            self._said = time.monotonic()
            kills = f", {self._storm.kills} kills" if self._storm else ""
            say(f"  {have} of {len(self._jobs)} verdicts{kills}")
        calm = self._storm is None or self._storm.over
        return calm and have == len(self._jobs) and _lag(self._stack) == 0


def _wait_for_kills(storm: Storm, count: int) -> None:
    wait_for(lambda: storm.kills >= count, f"{count} kills", 600)


def _lag(stack: LocalStack) -> int:
    return sum(group_lag(stack.kafka, group, topic) for group, topic in GROUPS)


def _stack(name: str, base: int) -> LocalStack:
    stack = LocalStack(STATE / f"chaos-{name}", base)
    stack.down()
    stack.wipe()
    return stack


def say(text: str) -> None:
    """Progress goes to stderr, the account to stdout."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
