"""Submitting through the storm, and reading every verdict that was ever published."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import httpx

from shared.contracts.outcomes import Transient
from shared.contracts.topics import VERDICTS
from shared.messaging.reader import LogReader
from shared.messaging.settings import KafkaSettings
from tests.chaos.clips import Clip

_AWAY = {429, 500, 502, 503, 504}


def submit(url: str, clip: Clip, key: str, *, timeout_s: float = 300) -> str:
    """The job's id. A service that is away is asked again under the same key, as any client should."""
    deadline = time.monotonic() + timeout_s
    pause = threading.Event()
    while True:
        try:
            answer = httpx.post(
                f"{url}/api/v1/jobs/analyze-video", headers={"Idempotency-Key": key},
                files={"file": (f"{clip.name}.mp4", clip.data, "video/mp4")}, timeout=20,
            )
            if answer.status_code not in _AWAY:
                return str(answer.raise_for_status().json()["job_id"])
        except httpx.TransportError as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{clip.name}: not taken within {timeout_s:.0f} s") from error
        pause.wait(0.5)


class Verdicts:
    """Every verdict record since the beginning, by job, in order of appearance."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self.by_job: dict[str, list[bytes]] = defaultdict(list)

    @contextmanager
    def follow(self) -> Iterator[None]:
        """Reads along in a thread, and to the very end when the block ends."""
        stop = threading.Event()
        reader = LogReader(self._kafka, [VERDICTS.name], {}, timeout_s=60)

        def run() -> None:
            while not stop.is_set():
                self._take(reader)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            ends = wait_for(lambda: reader.end_offsets(), "the broker", 60)
            while any(reader.positions()[place] < end for place, end in ends.items()):
                self._take(reader)
            reader.close()

    def have(self, jobs: Sequence[str]) -> int:
        """How many of `jobs` have a verdict."""
        return sum(job in self.by_job for job in jobs)

    def _take(self, reader: LogReader) -> None:
        for record in reader.poll(0.2):
            if record.key is not None and record.value is not None:
                self.by_job[record.key.decode()].append(record.value)


T = TypeVar("T")


def wait_for(ask: Callable[[], T | None], what: str, timeout_s: float, every_s: float = 0.5) -> T:
    """What `ask` gives once it gives something true. A dependency that is away is asked again."""
    deadline, pause = time.monotonic() + timeout_s, threading.Event()
    while True:
        try:
            found = ask()
            if found:
                return found
        except (Transient, httpx.TransportError):
            pass
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout_s:.0f} s")
        pause.wait(every_s)
