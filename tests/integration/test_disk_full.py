"""The object store's disk is full: submitters are told to come back, and begun work waits for space."""

import os
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.kafka import KafkaServer
from deploy.local.ports import free_ports
from deploy.local.process import Server
from deploy.local.programs import readiness
from shared.contracts.codec import encode
from shared.contracts.jobs import MediaInfo
from shared.contracts.results import BundleRef, Evidence, Series, Verdict
from shared.messaging.admin import create_topics
from shared.messaging.producer import Producer
from shared.messaging.settings import KafkaSettings
from shared.models.manifest import read_manifest
from tests.conftest import Endpoint
from tests.support.full_disk import Disk, disk_of
from tests.support.ingest_process import Replica
from tests.support.stack_client import StackClient, accepted, problem, wait_for

pytestmark = [pytest.mark.kafka, pytest.mark.minio]
CLIP = Path(__file__).parents[2] / "deploy" / "local" / "demo" / "clip.mp4"
SECONDS = 6
BUCKET = "disk-full"


@dataclass
class Place:
    """ingest and explain on a store whose disk can be filled."""

    disk: Disk
    client: StackClient
    producer: Producer
    explain_port: int

    def retried(self) -> float:
        """How often explain has tried again."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.explain_port}/metrics", timeout=5) as answer:  # noqa: S310
            lines = answer.read().decode().splitlines()
        return sum(float(x.split()[-1]) for x in lines if x.startswith("veracity_records_retried_total{"))


@pytest.fixture
def place(tmp_path: Path, minio_endpoint: Endpoint) -> Iterator[Place]:
    with ExitStack() as stack:
        kafka = stack.enter_context(KafkaServer(tmp_path / "kafka", *free_ports(2)))
        disk = stack.enter_context(disk_of(minio_endpoint.endpoint))
        settings = KafkaSettings(bootstrap_servers=kafka.bootstrap)
        create_topics(settings, partitions=2, replication=1)
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap, "S3_ENDPOINT": disk.endpoint, "S3_BUCKET": BUCKET,
            "S3_ACCESS_KEY": minio_endpoint.access_key, "S3_SECRET_KEY": minio_endpoint.secret_key,
            "S3_INBOX_BUCKET": f"{BUCKET}-inbox", "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        }
        [port] = free_ports(1)
        explain = Server(
            "explain", [sys.executable, "-m", "services.explain"], tmp_path / "explain.log",
            lambda: not readiness(port), environment | {"VERACITY_METRICS_PORT": str(port)},
        )
        replica = Replica(tmp_path / "ingest", environment)
        for process in (replica, explain):
            process.start(120)
            stack.callback(process.stop)
        client = stack.enter_context(closing(StackClient(replica.url)))
        producer = stack.enter_context(closing(Producer(settings, "fusion")))
        yield Place(disk, client, producer, port)


def verdict_of(job: str, media: MediaInfo) -> Verdict:
    """As fusion would judge it, with one window to explain."""
    manifest = read_manifest("compact")
    column = (0.5,) * SECONDS
    whole_face = ((0.8, 0.0, -20.0, 0.0, 0.8, 0.0),) * 5
    return Verdict(
        job_id=job, outcome="analysed", verdict="inconclusive", p_fake=0.5, interval=(0.1, 0.9),
        windows=SECONDS,
        series=Series(p_fake=column, low=column, high=column, video=column, audio=column, speech=column,
                      face=(1,) * SECONDS),
        evidence=(Evidence(window_index=1, p_fake=0.5, face=0, transforms=whole_face),), top_k=1,
        media_uri=f"s3://{BUCKET}/jobs/{job}/media", media=media,
        bundle=BundleRef(name=manifest.name, digest=manifest.digest),
    )


def test_a_full_disk_turns_submitters_away_and_holds_explanations_up(place: Place) -> None:
    place.disk.full.set()
    answer = place.client.post(CLIP.read_bytes())
    assert (answer.status_code, problem(answer)) == (503, "not_ready")
    assert int(answer.headers["Retry-After"]) > 0

    place.disk.full.clear()
    job = accepted(place.client.post(CLIP.read_bytes()))
    media = wait_for(lambda: place.client.job(job).media, "the plan", 60)

    place.disk.full.set()
    place.producer.send_and_wait([encode(verdict_of(job, MediaInfo.model_validate(media)))], 30)
    wait_for(lambda: place.retried() >= 2, "explain to try again", 60)
    assert place.client.job(job).status == "running"
    assert place.disk.refused >= 3

    place.disk.full.clear()
    done = place.client.finished(job)
    assert done.status == "completed" and done.results and done.results.explanation == "ok"
    names = {artifact.name for artifact in done.results.artifacts}
    assert {"report.json", "timeline.png"} < names and len(done.results.anomalous_frames) == 1
    for artifact in done.results.artifacts:
        assert place.client.http.get(artifact.url).status_code == 200
