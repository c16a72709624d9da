"""What the routes work with, and how they do blocking work without blocking the loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import ParamSpec, TypeVar, cast

from fastapi import Request

from services.ingest.jobs import CurrentJobs
from services.ingest.ports import Publisher
from services.ingest.read_model import Follower, ReadModel
from services.ingest.settings import IngestSettings
from shared.observability.health import Health
from shared.storage import ObjectStore

P = ParamSpec("P")
T = TypeVar("T")
STREAMED_UPLOADS = 8  # uploads too large for memory that are written at the same time


@dataclass(frozen=True)
class Api:
    """`max_bytes` of one upload."""

    settings: IngestSettings
    max_bytes: int
    store: ObjectStore
    model: ReadModel
    follower: Follower
    publisher: Publisher
    health: Health
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    workers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8, "api"))
    streams: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(STREAMED_UPLOADS, "upload")
    )

    @property
    def jobs(self) -> CurrentJobs:
        return CurrentJobs(self.model, self.follower, self.settings.catch_up_s)

    async def blocking(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`call` in a thread of our own few: the default pool is shared with everything else."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.workers, partial(call, *args, **kwargs))

    def close(self) -> None:
        self.workers.shutdown(wait=False, cancel_futures=True)
        self.streams.shutdown(wait=False, cancel_futures=True)


def api_of(request: Request) -> Api:
    """The dependency of every route."""
    return cast(Api, request.app.state.api)
