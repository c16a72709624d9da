"""Looks over all jobs' states now and then: finishes what a crash cut short, forgets what is old, counts."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from services.fusion import join
from services.fusion.join import JobState
from services.fusion.ports import STATES, Change, Ports, entry_key, plan_key, state_key
from services.fusion.step import Fusion
from services.fusion.work import Job
from shared.observability import metrics

log = logging.getLogger(__name__)
INTERVAL_S = 30.0


class Scanner(Protocol):
    def scan(self, partition: int, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values under `prefix`."""
        ...


class Housekeeping:
    """Runs between batches, never beside one. `clock` gives seconds since 1970."""

    def __init__(
        self, ports: Ports, scanner: Callable[[], Scanner], fusion: Fusion, ttl_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ports, self._scanner, self._fusion = ports, scanner, fusion
        self._ttl_s, self._clock, self._due = ttl_s, clock, 0.0

    async def start(self, partitions: Sequence[int]) -> None:
        """After a recovery: verdicts that are stored and not marked published go out again."""
        await self._look(partitions)

    async def maybe(self, partitions: Sequence[int]) -> None:
        """Once in a while."""
        if self._clock() >= self._due:
            await self._look(partitions)

    async def _look(self, partitions: Sequence[int]) -> None:
        self._due = self._clock() + INTERVAL_S
        oldest_ms = (self._clock() - self._ttl_s) * 1000
        open_jobs = waiting = 0
        for partition in partitions:
            old: list[tuple[str, JobState]] = []
            closing: dict[Job, str] = {}
            for key, value in self._scanner().scan(partition, STATES):
                job_id, state = key.removeprefix(STATES).decode(), JobState.from_bytes(value)
                if state.phase == "closing":
                    closing[Job(partition, job_id)] = ""
                elif state.touched_ms < oldest_ms:
                    old.append((job_id, state))
                elif state.phase == "open":
                    open_jobs += 1
                    waiting += join.waiting(state)
            if closing:
                log.info("finishing %d jobs that were cut short", len(closing))
                await self._fusion.finish(closing)
            for job_id, state in old:
                await self._ports.write(partition, _deletions(job_id, state))
        metrics.JOIN_OPEN_JOBS.set(open_jobs)
        metrics.JOIN_WAITING.set(waiting)


def _deletions(job_id: str, state: JobState) -> list[Change]:
    gone: list[Change] = [(entry_key(job_id, digest, i), None) for digest, i in join.entries(state)]
    return [*gone, (plan_key(job_id), None), (state_key(job_id), None)]
