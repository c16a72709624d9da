"""Submitting: what becomes a job, what is refused, and that nothing is half-accepted."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from shared.contracts.jobs import JobAccepted
from shared.contracts.outcomes import Transient
from tests.support.ingest import MP4, RULES, Client, Ingest, ingest

ANALYZE = "/api/v1/jobs/analyze-video"


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Ingest]:
    with ingest(tmp_path) as replica:
        yield replica


@pytest.fixture
def client(replica: Ingest) -> Iterator[Client]:
    with replica.client() as client:
        yield client


def upload(client: Client, data: bytes = MP4, key: str | None = None, **fields: Any) -> Response:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(ANALYZE, files={"file": ("clip.mp4", data)}, data=fields, headers=headers)


def submit_url(client: Client, url: str, key: str | None = None) -> Response:
    return client.post(ANALYZE, json={"video_url": url}, headers={"Idempotency-Key": key} if key else {})


def assert_problem(response: Response, status: int, code: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == code
    assert {"type", "title", "status", "detail"} <= response.json().keys()


def test_an_upload_is_stored_accepted_and_answered_with_where_to_look(
    replica: Ingest, client: Client
) -> None:
    answer = upload(client, top_k=3)
    assert answer.status_code == 202
    job_id = answer.json()["job_id"]
    assert answer.json() == {"job_id": job_id, "status": "pending", "status_url": f"/api/v1/jobs/{job_id}"}
    (job,) = replica.messages("jobs-v1")
    assert isinstance(job, JobAccepted)
    assert job.media.uri == f"s3://veracity/jobs/{job_id}/media"
    assert replica.store.get(f"jobs/{job_id}/media") == MP4
    assert (job.media.size, job.media.filename, job.options.top_k) == (len(MP4), "clip.mp4", 3)
    assert client.get(answer.json()["status_url"]).json()["status"] == "pending"


def test_a_file_larger_than_memory_allows_is_streamed_to_the_store(
    replica: Ingest, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.api.upload.IN_MEMORY", 10_000)
    monkeypatch.setattr(replica.store, "put", None)
    whole: list[bytes] = []
    monkeypatch.setattr(
        replica.store, "put_stream", lambda key, stream: whole.extend(iter(lambda: stream.read(1000), b""))
    )
    data = MP4 * 20
    assert upload(client, data).status_code == 202
    assert b"".join(whole) == data
    assert max(map(len, whole)) <= 1000


@pytest.mark.parametrize("in_memory", [1_000, 1_000_000])
def test_under_a_key_the_place_is_named_by_the_content_however_it_was_sent(
    replica: Ingest, client: Client, monkeypatch: pytest.MonkeyPatch, in_memory: int
) -> None:
    monkeypatch.setattr("services.ingest.api.upload.IN_MEMORY", in_memory)
    job_id = upload(client, key="k1").json()["job_id"]
    place = f"jobs/{job_id}/media-{hashlib.sha256(MP4).hexdigest()[:16]}"
    assert list(replica.store.list("jobs/")) == [place]
    accepted = replica.state(job_id).accepted
    assert accepted
    assert accepted.media.uri == f"s3://veracity/{place}"


def test_the_same_key_and_body_is_the_same_job(replica: Ingest, client: Client) -> None:
    first, second = upload(client, key="k1"), upload(client, key="k1")
    assert first.status_code == second.status_code == 202
    assert first.json() == second.json()
    assert len(replica.messages("jobs-v1")) == 1
    assert len(list(replica.store.list("jobs/"))) == 1


@pytest.mark.parametrize("changed", ["file", "options", "url"])
def test_the_same_key_with_another_body_is_a_conflict(
    replica: Ingest, client: Client, changed: str
) -> None:
    assert upload(client, key="k1").status_code == 202
    before = list(replica.store.list("jobs/"))
    answer = {
        "file": lambda: upload(client, MP4 + b"more", key="k1"),
        "options": lambda: upload(client, key="k1", top_k=9),
        "url": lambda: submit_url(client, "https://example.org/clip.mp4", key="k1"),
    }[changed]()
    assert_problem(answer, 409, "idempotency_conflict")
    assert list(replica.store.list("jobs/")) == before


def test_of_two_simultaneous_submissions_under_one_key_the_first_record_wins(
    replica: Ingest, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second does not know of the first when it stores its file, and cleans up after itself."""
    first = upload(client, key="k1").json()
    monkeypatch.setattr(replica.model, "get", _blind_once(replica))
    second = upload(client, MP4 + b"more", key="k1")
    assert_problem(second, 409, "idempotency_conflict")
    winner = replica.state(first["job_id"]).accepted
    assert winner and list(replica.store.list("jobs/")) == [winner.media.uri.removeprefix("s3://veracity/")]


def _blind_once(replica: Ingest) -> Any:
    get, calls = replica.model.get, iter([True])
    return lambda job_id: None if next(calls, False) else get(job_id)


def test_a_deleted_jobs_key_is_not_used_again(client: Client) -> None:
    job = upload(client, key="k1").json()
    assert client.delete(job["status_url"]).status_code == 204
    assert_problem(upload(client, key="k1"), 409, "job_deleted")


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "empty_file"),
        (b"just text, whatever its name says", 415, "unsupported_media"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\nfile:///etc/passwd\n", 415, "playlist_refused"),
        (MP4 + b"x" * RULES.max_bytes, 413, "too_large"),
    ],
)
def test_what_the_door_can_judge_is_refused_and_leaves_nothing(
    replica: Ingest, client: Client, data: bytes, status: int, code: str
) -> None:
    assert_problem(upload(client, data), status, code)
    assert not list(replica.store.list("jobs/"))
    assert not replica.log.records


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a.mp4", "https://127.0.0.1/a", "https://[::1]/", "https://169.254.169.254/latest",
        "https://[::ffff:10.0.0.1]/", "https://[2002:7f00:1::]/", "https://[64:ff9b::a00:1]/", "https://0x7f.1/",
        "https://2130706433/", "https://localhost/", "https://kafka/", "https://metadata.google.internal/",
        "https://user:pass@example.org/", "https://example.org:22/", "file:///etc/passwd", "ftp://example.org/",
        "https://", "https://exa mple.org/", "nonsense", "https://[fe80::1%25eth0]/",
    ],
)
def test_urls_that_are_not_public_https_are_refused(replica: Ingest, client: Client, url: str) -> None:
    assert_problem(submit_url(client, url), 422, "url_forbidden")
    assert not replica.log.records


def test_a_public_url_is_accepted_without_being_fetched(replica: Ingest, client: Client) -> None:
    assert submit_url(client, "https://example.org/clip.mp4?x=1").status_code == 202
    (job,) = replica.messages("jobs-v1")
    assert (job.source, job.media.uri) == ("url", "https://example.org/clip.mp4?x=1")


@pytest.mark.parametrize(
    "request_of",
    [
        lambda c: c.post(ANALYZE, json={}),
        lambda c: c.post(ANALYZE, json={"video_url": "https://example.org/a", "options": {"top_k": 99}}),
        lambda c: c.post(ANALYZE, content=b"{", headers={"content-type": "application/json"}),
        lambda c: c.post(ANALYZE, content=b"x", headers={"content-type": "text/plain"}),
        lambda c: c.post(ANALYZE, content=b"x", headers={"content-type": "multipart/form-data"}),
        lambda c: c.post(
            ANALYZE, content=b"--b\r\n", headers={"content-type": "multipart/form-data; boundary=b"}
        ),
        lambda c: c.post(ANALYZE, files={"movie": ("a.mp4", MP4)}),
        lambda c: c.post(ANALYZE, files=[("file", ("a.mp4", MP4)), ("file", ("b.mp4", MP4))]),
        lambda c: c.post(ANALYZE, files={"file": ("a.mp4", MP4)}, data={"top_k": "many"}),
        lambda c: c.post(ANALYZE, files={"file": ("a.mp4", MP4)}, data={"colour": "red"}),
        lambda c: c.post(ANALYZE, json={"video_url": "https://e.org/a"}, headers={"Idempotency-Key": "a b"}),
    ],
)
def test_malformed_requests_are_named_and_leave_nothing(
    replica: Ingest, client: Client, request_of: Any
) -> None:
    assert_problem(request_of(client), 422, "invalid_request")
    assert not list(replica.store.list("jobs/"))
    assert not replica.log.records


def test_without_the_object_store_a_submission_is_told_to_come_back(
    replica: Ingest, client: Client
) -> None:
    replica.store.outage = "disk full"
    answer = upload(client)
    assert_problem(answer, 503, "not_ready")
    assert answer.headers["retry-after"]
    assert not replica.log.records


def test_without_the_broker_a_submission_is_told_to_come_back_and_its_file_is_swept(
    replica: Ingest, client: Client
) -> None:
    replica.log.outage = "no broker"
    assert_problem(upload(client), 503, "not_ready")
    replica.log.outage = None
    assert len(list(replica.store.list("jobs/"))) == 1
    replica.clock.forward(2 * replica.settings.upload_total_s + 1)
    replica.sweeper().sweep()
    assert not list(replica.store.list("jobs/"))


def test_a_file_is_known_before_it_is_stored_so_that_a_crash_leaves_none(
    replica: Ingest, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica.store, "put", lambda key, data: crash(replica))
    assert upload(client).status_code == 500
    monkeypatch.undo()
    assert len(replica.model.doubts(replica.clock() + timedelta(seconds=1))) == 1


def crash(replica: Ingest) -> None:
    raise RuntimeError("as if the process had ended here")


def test_a_record_that_came_although_no_acknowledgement_did_keeps_its_file(
    replica: Ingest, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_now = replica.log.publish_now

    def unacknowledged(messages: Any, traceparent: str) -> None:
        publish_now(messages, traceparent)
        raise Transient("no acknowledgement came")

    monkeypatch.setattr(replica.log, "publish_now", unacknowledged)
    assert_problem(upload(client), 503, "not_ready")
    replica.clock.forward(2 * replica.settings.upload_total_s + 1)
    replica.sweeper().sweep()
    assert len(list(replica.store.list("jobs/"))) == 1
    assert replica.model.doubts(replica.clock()) == []
