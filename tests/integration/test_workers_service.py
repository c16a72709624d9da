"""Both workers and explain as processes, on real Kafka and a real store, with the shipped bundle."""

import hashlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from pydantic import SecretStr

from deploy.local.layout import ROOT
from shared.contracts.base import Modality
from shared.contracts.codec import Message, decode, encode
from shared.contracts.embeddings import Embedding
from shared.contracts.jobs import MediaInfo, MediaRef, SegmentPlanned
from shared.contracts.outcomes import InvalidRecord
from shared.contracts.results import BundleRef, Evidence, Explained, Series, Transform, Verdict
from shared.contracts.topics import AUDIO_EMBEDDINGS, EXPLANATIONS, VIDEO_EMBEDDINGS
from shared.media.limits import Limits
from shared.media.probe import probe
from shared.media.sources import MemorySource
from shared.messaging.admin import create_topics
from shared.messaging.dead_letters import dead_letters
from shared.messaging.producer import Producer
from shared.messaging.reader import LogReader
from shared.messaging.settings import KafkaSettings
from shared.models.manifest import read_manifest
from shared.storage import S3Settings, open_store
from shared.storage.keys import artifact_key, media_key, uri
from tests.support.inference_process import InferenceProcess
from tests.support.segments import segment

if TYPE_CHECKING:
    from tests.conftest import Endpoint

pytestmark = [pytest.mark.kafka, pytest.mark.minio]
PATIENCE_S = 120.0
CLIP = (ROOT / "deploy" / "local" / "demo" / "clip.mp4").read_bytes()
DIGEST = read_manifest("compact").digest
SERVICES = ("audio_worker", "video_worker", "explain")


class World:
    """The servers, the three processes, and what has come out of them."""

    def __init__(self, kafka: KafkaSettings, s3: S3Settings, folder: Path) -> None:
        self.kafka, self.store = kafka, open_store(s3)
        self.store.ensure_buckets()
        create_topics(kafka)
        self.producer = Producer(kafka, "tests")
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers, "S3_ENDPOINT": s3.endpoint,
            "S3_ACCESS_KEY": s3.access_key, "S3_SECRET_KEY": s3.secret_key.get_secret_value(),
            "S3_BUCKET": s3.bucket, "VERACITY_BUNDLE": "compact",
        }
        self.processes = {name: InferenceProcess(name, folder, environment) for name in SERVICES}

    def put_clip(self) -> str:
        job = f"workers-{uuid4()}"
        self.store.put(media_key(job), CLIP, "video/mp4")
        return job

    def segment(self, job: str, count: int = 6) -> SegmentPlanned:
        media = MediaRef(uri=uri(self.store.bucket, media_key(job)), size=len(CLIP))
        return segment(job, count=count, digest=DIGEST, info=info()).model_copy(update={"media": media})

    def send(self, message: Message, *, spoiled: bool = False) -> None:
        out = encode(message)
        self.producer.send_and_wait([replace(out, value=b"{") if spoiled else out], PATIENCE_S)

    def embeddings(self, job: str, modality: Modality, count: int) -> dict[int, Embedding]:
        """The job's records, once `count` windows have one."""
        topic = (AUDIO_EMBEDDINGS if modality == "audio" else VIDEO_EMBEDDINGS).name
        found: dict[int, Embedding] = {}
        for message in self._messages(topic):
            if isinstance(message, Embedding) and message.job_id == job:
                found[message.window_index] = message
                if len(found) == count:
                    return found
        raise AssertionError(f"{len(found)} of {count} {modality} records came")

    def explained(self, job: str) -> Explained:
        found = self._messages(EXPLANATIONS.name)
        return next(m for m in found if isinstance(m, Explained) and m.job_id == job)

    def _messages(self, topic: str) -> Iterator[Message]:
        deadline = time.monotonic() + PATIENCE_S
        with LogReader(self.kafka, [topic], {}) as reader:
            while time.monotonic() < deadline:
                for record in reader.poll(0.5):
                    try:
                        yield decode(record)
                    except InvalidRecord:
                        continue  # of another test


def info() -> MediaInfo:
    return probe(MemorySource(CLIP), hashlib.sha256(CLIP).hexdigest(), Limits())


@pytest.fixture(scope="module")
def world(
    kafka_bootstrap: str, minio_endpoint: "Endpoint", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    s3 = S3Settings(
        endpoint=minio_endpoint.endpoint, access_key=minio_endpoint.access_key,
        secret_key=SecretStr(minio_endpoint.secret_key), bucket=f"workers-{uuid4().hex[:8]}",
    )
    world = World(KafkaSettings(bootstrap_servers=kafka_bootstrap), s3, tmp_path_factory.mktemp("workers"))
    with ExitStack() as stack, ThreadPoolExecutor() as at_once:
        stack.callback(world.producer.close)
        for process in world.processes.values():
            stack.callback(process.stop)
        list(at_once.map(InferenceProcess.start, world.processes.values()))
        yield world


def test_a_clip_gives_one_record_for_every_window_and_modality(world: World) -> None:
    job = world.put_clip()
    world.send(world.segment(job))
    sound = world.embeddings(job, "audio", 6)
    picture = world.embeddings(job, "video", 6)
    assert {r.status for r in picture.values()} == {"ok"}
    assert all(r.faces == 1 and r.tensors["embedding"].shape == (1, 2048) for r in picture.values())
    assert sum(r.status == "ok" for r in sound.values()) >= 4
    assert {r.bundle_digest for r in (*sound.values(), *picture.values())} == {DIGEST}
    for name in ("audio_worker", "video_worker"):
        assert world.processes[name].metric("veracity_windows_total") >= 6
        assert world.processes[name].metric("veracity_decode_seconds_count") >= 1
        assert world.processes[name].metric("veracity_batch_windows_count") >= 1


def test_poison_between_good_records_is_put_aside_and_missing_media_fail_by_name(world: World) -> None:
    good, gone = world.put_clip(), f"workers-{uuid4()}"
    world.send(world.segment(gone, count=2))
    poison = world.segment(f"workers-{uuid4()}")
    world.send(poison, spoiled=True)
    world.send(world.segment(good))
    for modality in ("audio", "video"):
        assert len(world.embeddings(good, modality, 6)) == 6
        lost = world.embeddings(gone, modality, 2)
        assert {(r.status, r.reason) for r in lost.values()} == {("failed", "media_missing")}
    key = f"{poison.job_id}:0".encode()
    deadline = time.monotonic() + PATIENCE_S
    letters: set[str] = set()
    while letters != {"audio_worker", "video_worker"} and time.monotonic() < deadline:
        letters = {d.service for d in dead_letters(world.kafka) if d.letter.key == key}
    assert letters == {"audio_worker", "video_worker"}


def test_the_same_segment_again_gives_the_same_bytes(world: World) -> None:
    job = world.put_clip()
    world.send(world.segment(job))
    first = {m: world.embeddings(job, m, 6) for m in ("audio", "video")}
    again = f"workers-{uuid4()}"
    world.store.put(media_key(again), CLIP, "video/mp4")
    world.send(world.segment(again))
    for modality in ("audio", "video"):
        for index, record in world.embeddings(again, modality, 6).items():
            mine = replace(record, job_id=job).to_bytes()
            assert mine == first[modality][index].to_bytes()


def test_a_verdict_becomes_pictures_and_a_report_in_the_store(world: World) -> None:
    job = world.put_clip()
    world.send(world.segment(job))
    picture = world.embeddings(job, "video", 6)
    rows: list[Transform] = [tuple(r) for r in picture[3].tensors["transforms"][0].reshape(5, 6).tolist()]
    column = (0.4, 0.5, 0.6, 0.7, 0.5, 0.4)
    world.send(Verdict(
        job_id=job, outcome="analysed", verdict="inconclusive", p_fake=0.7, interval=(0.5, 0.8), windows=6,
        series=Series(p_fake=column, low=column, high=column, video=column, audio=column,
                      speech=(1.0,) * 6, face=(1,) * 6),
        evidence=(Evidence(window_index=3, p_fake=0.7, face=0, transforms=tuple(rows)),), top_k=2,
        media_uri=uri(world.store.bucket, media_key(job)), media=info(),
        bundle=BundleRef(name="compact", digest=DIGEST),
    ))
    explained = world.explained(job)
    assert explained.status == "ok"
    assert len(explained.anomalous_frames) == 2
    for artifact in explained.artifacts:
        data = world.store.get(artifact_key(job, artifact.name))
        assert hashlib.sha256(data).hexdigest() == artifact.sha256
    assert json.loads(world.store.get(artifact_key(job, "report.json")))["verdict"]["job_id"] == job
    assert world.processes["explain"].metric("veracity_explanations_total") >= 1
