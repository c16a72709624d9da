"""Joined windows a second through the real fusion service: Kafka in, compact scoring, Kafka out."""

import os
import subprocess
import sys
import time
from pathlib import Path

from deploy.local.kafka import KafkaServer
from deploy.local.ports import free_ports
from shared.contracts.codec import encode
from shared.contracts.topics import WINDOW_SCORES
from shared.messaging.admin import create_topics, wait_for_broker
from shared.messaging.producer import Producer
from shared.messaging.reader import LogReader
from shared.messaging.settings import KafkaSettings
from shared.models.manifest import read_manifest
from tests.chaos.load import wait_for
from tests.support.fusion_fakes import embedding, plan

JOBS, WINDOWS = 20, 100


def windows_per_second(folder: Path) -> float:
    """All records are there before the service starts; the clock runs from its first score to its last."""
    port, controller, ops = free_ports(3)
    with KafkaServer(folder, port, controller) as server:
        kafka = KafkaSettings(bootstrap_servers=server.bootstrap)
        wait_for_broker(kafka, 60)
        create_topics(kafka)
        _fill(kafka)
        environment = os.environ | {
            "KAFKA_BOOTSTRAP_SERVERS": server.bootstrap, "VERACITY_METRICS_PORT": str(ops),
            "VERACITY_STATE_DIR": str(folder / "state"), "VERACITY_BUNDLE": "compact",
            "VERACITY_THREADS": "1",
        }
        with (folder / "fusion.log").open("wb") as log:
            fusion = subprocess.Popen([sys.executable, "-m", "services.fusion"], env=environment, stderr=log)  # noqa: S603
        try:
            return _rate(kafka)
        finally:
            fusion.terminate()
            fusion.wait(60)


def _fill(kafka: KafkaSettings) -> None:
    digest = read_manifest("compact").digest
    producer = Producer(kafka, "bench")
    for number in range(JOBS):
        job = f"bench-{number}"
        records = [encode(plan(job, WINDOWS, digest=digest))]
        for window in range(WINDOWS):
            records += [encode(embedding(job, window, "video", digest=digest)),
                        encode(embedding(job, window, "audio", digest=digest, tokens=10))]
        producer.send_and_wait(records, 60)
    producer.close()


def _rate(kafka: KafkaSettings) -> float:
    times: list[float] = []
    with LogReader(kafka, [WINDOW_SCORES.name], {}) as reader:

        def all_scored() -> bool:
            times.extend([time.monotonic()] * len(reader.poll(0.1)))
            return len(times) >= JOBS * WINDOWS

        wait_for(all_scored, "scores", 300, every_s=0)
    return (len(times) - 1) / (times[-1] - times[0])
