"""The start and the end of a service that runs the model: everything is made here, once, and pinned."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from shared.inference.bundles import load_pool
from shared.inference.settings import InferenceSettings
from shared.media.limits import Limits
from shared.messaging.handlers import Handler
from shared.messaging.loop import Loop
from shared.messaging.loop_settings import LoopSettings
from shared.messaging.producer import Producer
from shared.messaging.settings import KafkaSettings
from shared.models.bundle import BundlePool, Part
from shared.observability.health import Health, serve
from shared.observability.logs import setup_logging
from shared.observability.runner import stop_on_signals
from shared.storage import ObjectStore, S3Settings, open_store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ports:
    """What a handler reaches the world through."""

    store: ObjectStore
    bundles: BundlePool
    limits: Limits


def run_service(
    group_id: str,
    topic: str,
    settings: InferenceSettings,
    make_handler: Callable[[Ports], Handler],
    *,
    parts: tuple[Part, ...],
    loop: LoopSettings,
) -> None:
    """Loads the model, then answers probes, then consumes `topic` until SIGTERM or SIGINT.

    `make_handler` also warms up what it needs; the process is ready when it is assigned partitions."""
    setup_logging(group_id.replace("-", "_"), settings.log_level)
    stop = stop_on_signals()
    store = open_store(S3Settings())
    ports = Ports(store, load_pool(settings, store, parts), Limits())
    handler = make_handler(ports)
    health = Health()
    kafka = KafkaSettings()
    producer = Producer(kafka, group_id)
    server = serve(health, settings.metrics_port)
    log.info("ready to consume", extra={"topic": topic, "runtime": ports.bundles.current.detector.runtime})
    try:
        Loop(
            kafka, group_id, [topic], handler, producer, batch=loop, health=health,
            service=group_id.replace("-", "_"),
        ).run(stop)
    finally:
        producer.close()
        server.close()
