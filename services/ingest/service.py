"""All parts of one ingest process, put together and run until told to stop."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import uvicorn

from services.ingest.api import Api, create_app
from services.ingest.fetch import Fetcher
from services.ingest.intake import Intake, read
from services.ingest.jobs import CurrentJobs
from services.ingest.planner import Planner
from services.ingest.publisher import KafkaPublisher
from services.ingest.read_model import Follower, ReadModel
from services.ingest.read_model.model import FOLLOWED, Positions
from services.ingest.rules import Rules
from services.ingest.settings import IngestSettings
from services.ingest.sweeper import Sweeper
from shared.contracts.outcomes import Transient
from shared.contracts.topics import INBOX, JOBS, MEDIA_SUBMITTED
from shared.media.limits import Limits
from shared.media.probe import probe
from shared.messaging.loop import DeadLetterLimit, Loop, LoopSettings, one_by_one
from shared.messaging.producer import Producer
from shared.messaging.reader import LogReader
from shared.messaging.settings import KafkaSettings
from shared.observability.health import Health
from shared.storage import ObjectStore, S3Settings

log = logging.getLogger(__name__)
DRAIN_S = 30.0
PAUSE_S = 60.0


class Alive(Health):
    """Judges the loops' liveness only: while the broker is away, results can still be read here."""

    def __init__(self, health: Health) -> None:
        super().__init__()
        self._health = health

    def tick(self, name: str = "loop") -> None:
        self._health.tick(name)

    def done(self, name: str = "loop") -> None:
        self._health.done(name)

    def set_ready(self, name: str, ready: bool) -> None:
        """Not ours to say."""


class Service:
    """`run` in the main thread. Any part that dies ends the process, to be started anew."""

    def __init__(
        self, settings: IngestSettings, kafka: KafkaSettings, s3: S3Settings, limits: Limits,
        store: ObjectStore, bundle_digest: str,
    ) -> None:
        self._store, self._health, self._listen_every_s = store, Health(), settings.listen_every_s
        self._health.set_ready("read model", False)
        alive = Alive(self._health)
        self._model = ReadModel(Path(settings.state_dir) / "read_model.sqlite")

        def open_reader(start: Positions) -> LogReader:
            return LogReader(kafka, FOLLOWED, start, client_id="ingest-reader", timeout_s=5.0)

        self._follower = Follower(self._model, open_reader, 5 * settings.listen_every_s)
        jobs = CurrentJobs(self._model, self._follower, 4 * settings.catch_up_s)
        self._producer = Producer(kafka, "ingest")
        # A submitter waits for this one: nothing lingers, and what fails fails before the answer is due.
        at_once = kafka.model_copy(update={"overrides": {"linger.ms": 0} | kafka.overrides})
        self._quick = Producer(at_once, "ingest-api", max(1.0, settings.publish_timeout_s - 1.0))
        publisher = KafkaPublisher(self._quick, settings.publish_timeout_s)
        rules = Rules(
            bundle_digest=bundle_digest, bucket=store.bucket,
            media_buckets=frozenset({s3.inbox_bucket, "media", *settings.media_buckets}),
            max_bytes=limits.max_bytes, deadline_base_s=settings.deadline_base_s,
            deadline_factor=settings.deadline_factor, plan_within_s=settings.plan_within_s,
        )
        fetcher = Fetcher(limits.max_bytes, settings.fetch_total_s, settings.fetch_stall_s)
        planner = Planner(
            jobs, store, fetcher, lambda source, sha256: probe(source, sha256, limits), rules,
            probes=settings.probes,
        )
        self._mine: set[int] = set()
        self._planning = Loop(
            kafka, "veracity-planner", [JOBS.name], one_by_one(planner.handle), self._producer,
            batch=LoopSettings(workers=settings.planner_workers), health=alive, service="ingest",
            on_assign=lambda places: self._mine.update(p for _, p in places),
            on_revoke=lambda places: self._mine.difference_update(p for _, p in places),
        )
        self._taking_in = Loop(
            kafka, "veracity-intake", [MEDIA_SUBMITTED.name, INBOX.name],
            one_by_one(Intake(jobs, s3.inbox_bucket).handle), self._producer,
            health=alive, decoder=read, service="ingest",
        )
        self._sweeper = Sweeper(
            self._model, self._follower, store, publisher, settings, lambda: frozenset(self._mine)
        )
        self._api = Api(
            settings, limits.max_bytes, store, self._model, self._follower, publisher, self._health
        )
        self._server = uvicorn.Server(uvicorn.Config(
            create_app(self._api), settings.http_host, settings.http_port, log_config=None, access_log=False,
            server_header=False, timeout_graceful_shutdown=5,
        ))
        self._failed = False

    def run(self, stop: threading.Event) -> bool:
        """Whether it ended because it was told to."""
        following, tick = threading.Event(), self._health.tick
        follower = self._start("read model", stop, lambda: self._follow(following), following)
        for name, chore in (("first catch-up", self._catch_up), ("buckets", self._store.ensure_buckets)):
            threading.Thread(target=_until_done, args=(chore, stop), name=name, daemon=True).start()
        parts = [
            self._start("planner", stop, lambda: self._planning.run(stop)),
            self._start("intake", stop, lambda: self._take_in(stop)),
            self._start("listener", stop, lambda: self._follower.listen(stop, self._listen_every_s)),
            self._start("sweeper", stop, lambda: self._sweeper.run(stop, lambda: tick("sweeper"))),
            self._start("api", stop, self._server.run),
        ]
        stop.wait()
        self._server.should_exit = True
        for part in parts:
            part.join(DRAIN_S)
        # What was in flight until now may have needed the read model and the producers.
        following.set()
        follower.join(DRAIN_S)
        self._api.close()
        for producer in (self._quick, self._producer):
            producer.close()
        self._model.close()
        return not self._failed

    def _take_in(self, stop: threading.Event) -> None:
        """Strangers' malformed records must not stop the API: past the limit, taking in only slows down."""
        while not stop.is_set():
            try:
                self._taking_in.run(stop)
            except DeadLetterLimit as error:
                log.error("taking in pauses for %.0f s: %s", PAUSE_S, error)
                stop.wait(PAUSE_S)

    def _follow(self, stop: threading.Event) -> None:
        self._follower.run(stop, lambda: self._health.tick("read model"))

    def _catch_up(self) -> None:
        """Ready once the read model has been at the topics' ends."""
        self._follower.catch_up(60.0)
        self._health.set_ready("read model", True)

    def _start(
        self, name: str, stop: threading.Event, run: Callable[[], None], told: threading.Event | None = None
    ) -> threading.Thread:
        """Runs a part until `told` (else `stop`) is set; sets `stop` if it ends before."""

        def guarded() -> None:
            try:
                run()
            except BaseException:
                log.exception("%s died", name)
                self._failed = True
            else:
                if not (told or stop).is_set():
                    log.error("%s ended by itself", name)
                    self._failed = True
            stop.set()

        thread = threading.Thread(target=guarded, name=name)
        thread.start()
        return thread


def _until_done(chore: Callable[[], None], stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            chore()
            return
        except Transient as error:
            log.warning("trying again: %s", error)
            stop.wait(0.2)
