"""Ingest on memory ports: the real API, read model, planner and intake; no Kafka, no object store."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio.from_thread
import httpx

from services.ingest.api import Api, create_app
from services.ingest.fetch import Fetcher
from services.ingest.jobs import CurrentJobs
from services.ingest.memory import MemoryLog
from services.ingest.planner import Planner
from services.ingest.read_model import Follower, JobState, ReadModel
from services.ingest.rules import Rules
from services.ingest.settings import IngestSettings
from services.ingest.sweeper import Sweeper
from shared.contracts.base import Event
from shared.contracts.codec import decode, encode
from shared.contracts.jobs import MediaInfo, Planned
from shared.contracts.records import Record
from shared.contracts.results import BundleRef, Explained, Series, Verdict, WindowScored
from shared.messaging.handlers import Task
from shared.observability.health import Health
from shared.storage import ObjectSource
from shared.storage.memory import MemoryStore

MP4 = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41" + b"clip" * 2000
RULES = Rules(
    bundle_digest="b" * 64, bucket="veracity", media_buckets=frozenset({"inbox", "media"}),
    max_bytes=1_000_000, deadline_base_s=60, deadline_factor=10, plan_within_s=3600,
)


class Client:
    """The methods of `httpx.Client` that tests need, over the application itself."""

    def __init__(self, client: httpx.AsyncClient, portal: anyio.from_thread.BlockingPortal) -> None:
        self._client, self._portal = client, portal

    def request(self, method: str, url: str, **arguments: Any) -> httpx.Response:
        return self._portal.call(partial(self._client.request, method, url, **arguments))

    def get(self, url: str, **arguments: Any) -> httpx.Response:
        return self.request("GET", url, **arguments)

    def post(self, url: str, **arguments: Any) -> httpx.Response:
        return self.request("POST", url, **arguments)

    def delete(self, url: str, **arguments: Any) -> httpx.Response:
        return self.request("DELETE", url, **arguments)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def info(duration_s: float = 3.0, **changes: Any) -> MediaInfo:
    facts: dict[str, Any] = {
        "sha256": "a" * 64, "size": 10, "container": "mp4", "duration_s": duration_s, "width": 320,
        "height": 240, "fps": 25.0, "has_video": True, "has_audio": True,
    }
    return MediaInfo(**facts | changes)


@dataclass
class Ingest:
    """One replica. `probe` may be replaced."""

    settings: IngestSettings
    store: MemoryStore
    log: MemoryLog
    model: ReadModel
    follower: Follower
    clock: Clock
    probe: Callable[[ObjectSource, str], MediaInfo] = lambda source, sha256: info(sha256=sha256)
    fetcher: Fetcher = field(default_factory=lambda: Fetcher(1_000_000, 5, 1))
    _handled: int = 0

    @property
    def jobs(self) -> CurrentJobs:
        return CurrentJobs(self.model, self.follower, 5.0)

    def api(self) -> Api:
        health = Health()
        health.set_ready("read model", True)
        return Api(
            self.settings, RULES.max_bytes, self.store, self.model, self.follower, self.log, health,
            self.clock,
        )

    @contextmanager
    def client(self) -> Iterator["Client"]:
        """The API as over HTTP; answers come whole."""
        api = self.api()
        transport = httpx.ASGITransport(create_app(api), raise_app_exceptions=False)
        with anyio.from_thread.start_blocking_portal() as portal:
            asynchronous = httpx.AsyncClient(transport=transport, base_url="http://ingest")
            yield Client(asynchronous, portal)
            portal.call(asynchronous.aclose)
        api.close()

    def planner(self, rules: Rules = RULES) -> Planner:
        return Planner(
            self.jobs, self.store, self.fetcher, lambda source, sha: self.probe(source, sha), rules,
            clock=self.clock,
        )

    def sweeper(self, partitions: frozenset[int] = frozenset(range(100))) -> Sweeper:
        return Sweeper(
            self.model, self.follower, self.store, self.log, self.settings, lambda: partitions, self.clock
        )

    def plan(self) -> list[Event]:
        """Hands the planner all records of jobs-v1 that it did not see yet; publishes what it says."""
        planner, said = self.planner(), []
        for record in self.log.records[self._handled :]:
            self._handled += 1
            if record.topic == "jobs-v1":
                said += list(planner.handle(task(record)))
        self.log.publish_now(said, "")
        return said

    def say(self, *messages: Event) -> list[Record]:
        return [self.log.append(encode(message)) for message in messages]

    def state(self, job_id: str) -> JobState:
        state = self.jobs.current(job_id)
        assert state is not None
        return state

    def messages(self, topic: str) -> list[Any]:
        return [decode(r) for r in self.log.records if r.topic == topic]


def task(record: Record) -> Task:
    return Task(record, decode(record), "")


@contextmanager
def ingest(folder: Path, log: MemoryLog | None = None, **settings: Any) -> Iterator[Ingest]:
    """A running replica; several may share a log."""
    log = log or MemoryLog()
    model = ReadModel(folder / "read_model.sqlite")
    follower = Follower(model, log.open_reader)
    stop = threading.Event()
    thread = threading.Thread(target=follower.run, args=(stop,))
    thread.start()
    wait_until(lambda: _open(follower))
    try:
        yield Ingest(
            IngestSettings(state_dir=folder, **settings), MemoryStore(), log, model, follower, Clock()
        )
    finally:
        stop.set()
        thread.join()
        model.close()


def wait_until(holds: Callable[[], object], timeout_s: float = 10.0) -> None:
    end = time.monotonic() + timeout_s
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < end, "the condition did not come true in time"
        pause.wait(0.01)


def _open(follower: Follower) -> bool:
    try:
        follower.catch_up(1.0)
    except Exception:
        return False
    return True


def planned(job_id: str, **changes: Any) -> Planned:
    facts: dict[str, Any] = {
        "media": info(), "media_uri": f"s3://veracity/jobs/{job_id}/media", "segments": 1, "windows": 3,
        "modalities": ("video", "audio"), "bundle_digest": "b" * 64,
        "deadline": datetime(2026, 11, 24, 13, 0, tzinfo=UTC),
    }
    return Planned(job_id=job_id, **facts | changes)


def score(job_id: str, window: int) -> WindowScored:
    return WindowScored(
        job_id=job_id, window_index=window, p_fake=0.25, interval=(0.1, 0.4), bundle_digest="b" * 64
    )


def verdict(job_id: str, windows: int = 3, **changes: Any) -> Verdict:
    column = (0.25,) * windows
    facts: dict[str, Any] = {
        "outcome": "analysed", "verdict": "inconclusive", "reason": "not measured", "p_fake": 0.25,
        "interval": (0.1, 0.4), "windows": windows, "bundle": BundleRef(name="compact", digest="b" * 64),
        "series": Series(
            p_fake=column, low=(0.1,) * windows, high=(0.4,) * windows, video=column, audio=column,
            speech=(1.0,) * windows, face=(1,) * windows,
        ),
    }
    return Verdict(job_id=job_id, **facts | changes)


def explained(job_id: str, **changes: Any) -> Explained:
    return Explained(job_id=job_id, **{"status": "ok"} | changes)
