"""Two replicas of ingest on real Kafka and a real object store."""

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.kafka import KafkaServer
from deploy.local.ports import free_ports
from shared.contracts import ids
from shared.contracts.codec import decode, encode
from shared.contracts.jobs import MediaSubmitted, Planned, SegmentPlanned
from shared.contracts.records import Outgoing
from shared.contracts.topics import DEAD_LETTERS, INBOX, JOB_CONTROL, MEDIA_SUBMITTED, VIDEO_EVENTS
from shared.messaging.admin import create_topics
from shared.messaging.producer import Producer
from shared.messaging.reader import LogReader
from shared.messaging.settings import KafkaSettings
from shared.storage import S3Settings, open_store
from tests.conftest import Endpoint
from tests.support.ingest import MP4, explained, score, verdict, wait_until
from tests.support.ingest_process import LIMIT_BYTES, Replica

pytestmark = [pytest.mark.kafka, pytest.mark.minio]
ANALYZE = "/api/v1/jobs/analyze-video"
CLIP = Path(__file__).parents[2] / "deploy" / "local" / "demo" / "clip.mp4"


class Place:
    """A broker of this module's own, which its tests may kill, a store, and two replicas."""

    def __init__(self, folder: Path, kafka: KafkaServer, minio: Endpoint) -> None:
        self.kafka, self.folder = kafka, folder
        self.settings = KafkaSettings(bootstrap_servers=kafka.bootstrap)
        self.s3 = S3Settings(
            endpoint=minio.endpoint, access_key=minio.access_key, secret_key=minio.secret_key,  # type: ignore[arg-type]
            bucket=f"ingest-{folder.name[-8:]}", inbox_bucket=f"inbox-{folder.name[-8:]}",
        )
        create_topics(self.settings, partitions=4, replication=1)
        self.store = open_store(self.s3)
        self.producer = Producer(self.settings, "test")
        self.a, self.b = self.replica("a"), self.replica("b")

    def replica(self, name: str) -> Replica:
        return Replica(self.folder / name, {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap, "S3_ENDPOINT": self.s3.endpoint,
            "S3_ACCESS_KEY": self.s3.access_key, "S3_SECRET_KEY": self.s3.secret_key.get_secret_value(),
            "S3_BUCKET": self.s3.bucket, "S3_INBOX_BUCKET": self.s3.inbox_bucket,
        })

    def say(self, *messages: Any) -> None:
        self.producer.send_and_wait([encode(m) for m in messages], 20)

    def read(self, *topics: str) -> list[Any]:
        with LogReader(self.settings, topics, {}) as reader:
            return [r if r.topic == DEAD_LETTERS.name else decode(r) for r in reader.read_to_end(10)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, minio_endpoint: Endpoint) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("ingest-service")
    with KafkaServer(folder / "kafka", *free_ports(2)) as kafka:
        place = Place(folder, kafka, minio_endpoint)
        place.a.start()
        place.b.start()
        try:
            yield place
        finally:
            place.a.stop()
            place.b.stop()
            place.producer.close()


def upload(replica: Replica, data: bytes = MP4, key: str | None = None) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return replica.http.post(ANALYZE, files={"file": ("a.mp4", data)}, headers=headers)


def status(replica: Replica, job_id: str) -> str:
    return str(replica.http.get(f"/api/v1/jobs/{job_id}").json().get("status"))


def test_what_one_replica_took_the_other_knows_at_once(place: Place) -> None:
    for _ in range(10):
        taken = upload(place.a)
        assert taken.status_code == 202, taken.text
        found = place.b.http.get(taken.json()["status_url"])
        assert found.status_code == 200, found.text
    assert place.b.http.get(f"/api/v1/jobs/{ids.derive('no such job')}").status_code == 404


def test_a_clip_is_planned_once_and_its_segments_with_it(place: Place) -> None:
    job_id = upload(place.a, CLIP.read_bytes()).json()["job_id"]
    wait_until(lambda: status(place.b, job_id) == "running", 60)
    plans = [m for m in place.read(JOB_CONTROL.name) if isinstance(m, Planned) and m.job_id == job_id]
    events = [m for m in place.read(VIDEO_EVENTS.name) if isinstance(m, SegmentPlanned)]
    events = [event for event in events if event.job_id == job_id]
    assert len(plans) == 1
    assert (len(events), plans[0].modalities) == (plans[0].segments, ("video", "audio"))
    assert sum(event.window_count for event in events) == plans[0].windows


def test_the_same_key_on_both_replicas_at_the_same_time_is_one_job(place: Place) -> None:
    with ThreadPoolExecutor(4) as pool:
        both = [place.a, place.b, place.a, place.b]
        answers = list(pool.map(lambda replica: upload(replica, key="one-key"), both))
    assert [answer.status_code for answer in answers] == [202] * 4, [answer.text for answer in answers]
    assert len({answer.json()["job_id"] for answer in answers}) == 1
    job_id = answers[0].json()["job_id"]
    assert len(list(place.store.list(f"jobs/{job_id}/"))) == 1
    assert upload(place.b, MP4 + b"other", key="one-key").json()["code"] == "idempotency_conflict"


def test_events_come_from_any_replica(place: Place) -> None:
    job_id = upload(place.a, CLIP.read_bytes()).json()["job_id"]
    heard: list[str] = []

    def listen() -> None:
        with place.b.http.stream("GET", f"/api/v1/jobs/{job_id}/events") as answer:
            heard.extend(line for line in answer.iter_lines() if line.startswith("event:"))

    listener = threading.Thread(target=listen)
    listener.start()
    wait_until(lambda: status(place.a, job_id) == "running", 60)
    place.say(score(job_id, 0), verdict(job_id), explained(job_id))
    listener.join(20)
    assert heard[-1] == "event: done"
    assert {"event: window", "event: progress", "event: verdict"} <= set(heard)


def test_an_upload_that_is_too_large_gets_an_answer_while_it_is_still_sending(place: Place) -> None:
    def clip() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n' + MP4
        for _ in range(LIMIT_BYTES // 1_000_000 + 20):
            yield b"x" * 1_000_000

    before = list(place.store.list("jobs/"))
    answer = place.a.http.post(
        ANALYZE, content=clip(), headers={"content-type": "multipart/form-data; boundary=b"}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert list(place.store.list("jobs/")) == before


def test_a_client_that_goes_away_leaves_nothing(place: Place) -> None:
    before = set(place.store.list("jobs/"))
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n' + MP4
    head = (
        f"POST {ANALYZE} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"Content-Length: 15000000\r\n\r\n"
    )
    host, port = place.a.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as link:
        link.sendall(head.encode() + part + b"x" * 9_000_000)
    assert upload(place.a).status_code == 202
    wait_until(lambda: len(set(place.store.list("jobs/")) - before) == 1, 30)


def test_a_large_upload_arrives_whole(place: Place) -> None:
    data = MP4 + bytes(range(256)) * 60_000
    job_id = upload(place.a, data).json()["job_id"]
    assert place.store.get(f"jobs/{job_id}/media") == data


def test_upstream_events_become_jobs_and_malformed_ones_dead_letters(place: Place) -> None:
    place.say(MediaSubmitted(id="show-1", media_uri="https://10.0.0.1/clip.mp4"))
    place.producer.send_and_wait([Outgoing(MEDIA_SUBMITTED.name, b"k", b"not json", ())], 20)
    place.producer.send_and_wait([Outgoing(INBOX.name, b"k", b'{"Records": 1}', ())], 20)
    job_id = ids.job_id("event", "show-1")
    wait_until(lambda: status(place.b, job_id) == "failed", 60)
    job = place.b.http.get(f"/api/v1/jobs/{job_id}").json()
    assert job["error"]["code"] == "url_forbidden"
    wait_until(lambda: len(place.read(DEAD_LETTERS.name)) == 2, 30)
    assert {record.value for record in place.read(DEAD_LETTERS.name)} == {b"not json", b'{"Records": 1}'}


def test_media_of_an_allowed_bucket_and_of_the_inbox_are_taken_in(place: Place) -> None:
    inbox = place.s3.inbox_bucket
    place.store.within(inbox).put("shows/my clip.mp4", CLIP.read_bytes())
    place.say(MediaSubmitted(id="show-2", media_uri=f"s3://{inbox}/shows/my clip.mp4"))
    thing = {"key": "shows/my+clip.mp4", "size": 1, "eTag": "e1"}
    event = {"eventName": "s3:ObjectCreated:Put", "s3": {"bucket": {"name": inbox}, "object": thing}}
    dropped = json.dumps({"Records": [event]}).encode()
    place.producer.send_and_wait([Outgoing(INBOX.name, b"k", dropped, ())], 20)
    for job_id in (
        ids.job_id("event", "show-2"), ids.job_id("inbox", f"s3://{inbox}/shows/my clip.mp4@e1"),
    ):
        wait_until(lambda job_id=job_id: status(place.b, job_id) == "running", 60)  # type: ignore[misc]


def test_a_deleted_job_is_cancelled_everywhere(place: Place) -> None:
    job_id = upload(place.a).json()["job_id"]
    assert place.b.http.delete(f"/api/v1/jobs/{job_id}").status_code == 204
    assert status(place.a, job_id) == status(place.b, job_id) == "cancelled"
    assert not list(place.store.list(f"jobs/{job_id}/"))
    wait_until(lambda: job_id in {m.job_id for m in place.read(JOB_CONTROL.name)}, 30)


def test_another_replica_plans_what_a_killed_one_left(place: Place) -> None:
    place.a.kill()
    try:
        job_id = upload(place.b, CLIP.read_bytes()).json()["job_id"]
        wait_until(lambda: status(place.b, job_id) == "running", 60)
    finally:
        place.a = place.replica("a")
        place.a.start()
    assert status(place.a, job_id) == "running"


def test_without_a_broker_submissions_are_refused_and_results_still_read(place: Place) -> None:
    job_id = upload(place.a).json()["job_id"]
    assert status(place.b, job_id) in ("pending", "running", "failed")
    place.kafka.kill()
    try:
        refused = upload(place.b)
        assert (refused.status_code, refused.json()["code"]) == (503, "not_ready")
        assert refused.elapsed.total_seconds() < 8
        assert place.b.http.get(f"/api/v1/jobs/{job_id}").status_code == 200
        assert place.b.http.get("/healthz").status_code == 200
    finally:
        place.kafka.start()
    wait_until(lambda: upload(place.a).status_code == upload(place.b).status_code == 202, 60)


def test_it_ends_cleanly_when_told_to_also_while_somebody_listens(place: Place) -> None:
    third = place.replica("c")
    third.start()
    process = third._process
    assert process is not None
    job_id = upload(third, CLIP.read_bytes()).json()["job_id"]
    with third.http.stream("GET", f"/api/v1/jobs/{job_id}/events") as answer:
        next(answer.iter_lines())
        process.terminate()
        assert process.wait(30) == 0
    third.kill()
