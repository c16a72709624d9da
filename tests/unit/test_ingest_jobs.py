"""Reading jobs: status, progress, results, events, artifacts; deleting them; any replica can answer."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.base import ErrorBody
from shared.contracts.job_view import JobView
from shared.contracts.jobs import JobOptions, Rejected
from shared.contracts.results import AnomalousFrame, Artifact, AudioAnomaly
from tests.support.ingest import (
    MP4,
    Client,
    Ingest,
    explained,
    info,
    ingest,
    planned,
    score,
    verdict,
    wait_until,
)

ANALYZE = "/api/v1/jobs/analyze-video"


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Ingest]:
    with ingest(tmp_path) as replica:
        yield replica


@pytest.fixture
def client(replica: Ingest) -> Iterator[Client]:
    with replica.client() as client:
        yield client


@pytest.fixture
def job_id(replica: Ingest, client: Client) -> str:
    return str(client.post(ANALYZE, files={"file": ("clip.mp4", MP4)}).json()["job_id"])


def get(client: Client, job_id: str) -> dict[str, Any]:
    answer = client.get(f"/api/v1/jobs/{job_id}")
    assert answer.status_code == 200, answer.text
    JobView.model_validate(answer.json())
    body: dict[str, Any] = answer.json()
    return body


def told(replica: Ingest, job_id: str, *messages: Any) -> None:
    replica.say(*messages)
    replica.state(job_id)


def test_a_job_goes_from_pending_over_running_to_completed(
    replica: Ingest, client: Client, job_id: str
) -> None:
    job = get(client, job_id)
    assert (job["status"], job["media"], job["results"], job["error"]) == ("pending", None, None, None)
    assert job["progress"] == {"segments_done": 0, "segments_total": None}
    told(replica, job_id, planned(job_id, windows=40, segments=2, media=info(40.0)))
    assert get(client, job_id)["media"]["duration_s"] == 40.0
    told(replica, job_id, *(score(job_id, w) for w in range(29)))
    job = get(client, job_id)
    assert (job["status"], job["progress"]) == ("running", {"segments_done": 0, "segments_total": 2})
    told(replica, job_id, score(job_id, 29))
    assert get(client, job_id)["progress"]["segments_done"] == 1
    told(replica, job_id, verdict(job_id, 40))
    assert get(client, job_id)["status"] == "running"
    told(replica, job_id, explained(job_id))
    job = get(client, job_id)
    assert (job["status"], job["progress"]["segments_done"]) == ("completed", 2)
    assert job["results"]["verdict"] == "inconclusive"
    assert len(job["results"]["windows"]) == 40
    assert job["results"]["windows"][7] == {
        "index": 7, "p_fake": 0.25, "interval": [0.1, 0.4], "video": 0.25, "audio": 0.25, "speech": 1.0,
        "face": 1,
    }


def test_a_job_that_wants_no_explanation_is_completed_by_its_verdict(
    replica: Ingest, client: Client
) -> None:
    job_id = client.post(ANALYZE, files={"file": ("a.mp4", MP4)}, data={"explain": "false"}).json()["job_id"]
    told(replica, job_id, planned(job_id, options=JobOptions(explain=False)), verdict(job_id))
    job = get(client, job_id)
    assert (job["status"], job["results"]["explanation"]) == ("completed", "skipped")


def test_a_failed_explanation_completes_the_job_with_its_verdict(
    replica: Ingest, client: Client, job_id: str
) -> None:
    error = ErrorBody(code="artifacts_failed", message="no pictures")
    told(replica, job_id, planned(job_id), verdict(job_id), explained(job_id, status="failed", error=error))
    job = get(client, job_id)
    assert (job["status"], job["results"]["explanation"]) == ("completed", "failed")


@pytest.mark.parametrize("by", ["planner", "fusion"])
def test_a_failed_job_says_why(replica: Ingest, client: Client, job_id: str, by: str) -> None:
    error = ErrorBody(code="no_frames", message="The video has no frame.")
    if by == "planner":
        told(replica, job_id, Rejected(job_id=job_id, error=error))
    else:
        told(replica, job_id, planned(job_id), verdict(job_id, outcome="failed", verdict=None, error=error))
    job = get(client, job_id)
    assert (job["status"], job["results"]) == ("failed", None)
    assert job["error"] == {"code": "no_frames", "message": "The video has no frame."}


def test_messages_in_any_order_and_repeated_give_the_same_job(
    replica: Ingest, client: Client, tmp_path: Path
) -> None:
    job_id = client.post(ANALYZE, files={"file": ("a.mp4", MP4)}).json()["job_id"]
    told(
        replica, job_id, explained(job_id), score(job_id, 1), verdict(job_id), score(job_id, 0),
        planned(job_id), verdict(job_id, p_fake=0.9), planned(job_id, windows=9), score(job_id, 2),
    )
    job = get(client, job_id)
    assert (job["status"], job["results"]["p_fake"]) == ("completed", 0.25)
    with ingest(tmp_path / "other", replica.log) as other, other.client() as second:
        assert get(second, job_id) == job


def test_a_job_known_only_by_other_topics_does_not_exist(replica: Ingest, client: Client) -> None:
    job_id = "00000000-0000-0000-0000-000000000000"
    told_before = replica.say(verdict(job_id), explained(job_id))
    assert told_before
    assert client.get(f"/api/v1/jobs/{job_id}").status_code == 404
    assert client.get("/api/v1/jobs").json()["jobs"] == []


def test_another_replica_catches_up_before_it_says_404(replica: Ingest, tmp_path: Path) -> None:
    """The second replica's reader is held up until the request is waiting for it."""
    with ingest(tmp_path / "other", replica.log) as other, other.client() as client:
        held, asked = threading.Event(), threading.Event()
        fold, ends = other.model.fold, other.follower.ends
        other.model.fold = lambda records: fold(records) if held.wait(5) else set()  # type: ignore[method-assign]

        def asking(timeout_s: float) -> Any:
            asked.set()
            return ends(timeout_s)

        other.follower.ends = asking  # type: ignore[method-assign]
        with replica.client() as first:
            job_id = first.post(ANALYZE, files={"file": ("a.mp4", MP4)}).json()["job_id"]
        release = threading.Thread(target=lambda: held.set() if asked.wait(5) else None)
        release.start()
        assert client.get(f"/api/v1/jobs/{job_id}").status_code == 200
        release.join()


def test_a_replica_that_cannot_know_says_503_and_not_404(replica: Ingest, client: Client) -> None:
    replica.log.outage = "no broker"
    answer = client.get("/api/v1/jobs/00000000-0000-0000-0000-000000000000")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")


def test_known_jobs_are_readable_without_the_broker(replica: Ingest, client: Client, job_id: str) -> None:
    replica.state(job_id)
    replica.log.outage = "no broker"
    assert get(client, job_id)["status"] == "pending"


def test_jobs_are_listed_newest_first_page_by_page(replica: Ingest, client: Client) -> None:
    made = []
    for _ in range(5):
        made.append(client.post(ANALYZE, files={"file": ("a.mp4", MP4)}).json()["job_id"])
        replica.clock.forward(1)
    told(replica, made[0], planned(made[0]), verdict(made[0]), explained(made[0]))
    seen, cursor = [], None
    for _ in range(3):
        page = client.get("/api/v1/jobs", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += page["jobs"]
        cursor = page["next_cursor"]
    assert cursor is None
    assert [job["job_id"] for job in seen] == made[::-1]
    last = seen[-1]
    assert (last["verdict"], last["status"], last["p_fake"]) == ("inconclusive", "completed", 0.25)
    assert client.get("/api/v1/jobs?cursor=nonsense").json()["code"] == "invalid_request"


def events(client: Client, job_id: str) -> list[tuple[str, Any]]:
    answer = client.get(f"/api/v1/jobs/{job_id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in answer.text.replace("\r\n", "\n").split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


def test_events_tell_windows_progress_verdict_and_the_end_as_they_happen(
    replica: Ingest, client: Client, job_id: str
) -> None:
    answers: list[list[tuple[str, Any]]] = []
    listener = threading.Thread(target=lambda: answers.append(events(client, job_id)))
    listener.start()
    wait_until(lambda: replica.follower._watchers)
    told(replica, job_id, planned(job_id))
    told(replica, job_id, score(job_id, 0))
    told(replica, job_id, score(job_id, 2))
    told(replica, job_id, verdict(job_id))
    told(replica, job_id, explained(job_id))
    listener.join(10)
    (heard,) = answers
    assert sorted(data["index"] for name, data in heard if name == "window") == [0, 1, 2]
    assert [name for name, _ in heard if name not in ("window", "progress")] == ["verdict", "done"]
    last = [data for name, data in heard if name == "progress"][-1]
    assert last == {"status": "completed", "segments_done": 1, "segments_total": 1, "windows_done": 3,
                    "windows_total": 3}
    assert heard[-1] == ("done", get(client, job_id))
    assert not replica.follower._watchers


def test_events_of_an_ended_job_end_at_once(replica: Ingest, client: Client, job_id: str) -> None:
    told(replica, job_id, Rejected(job_id=job_id, error=ErrorBody(code="no_frames", message="none")))
    assert [name for name, _ in events(client, job_id)] == ["progress", "done"]


def test_artifacts_are_served_with_their_type_and_nothing_runs_in_a_browser(
    replica: Ingest, client: Client, job_id: str
) -> None:
    def artifact(name: str, media_type: str) -> Artifact:
        replica.store.put(f"jobs/{job_id}/artifacts/{name}", b"content of " + name.encode())
        return Artifact(name=name, sha256="c" * 64, size=1, media_type=media_type)

    told(replica, job_id, planned(job_id), verdict(job_id), explained(
        job_id, artifacts=(artifact("frame-1.png", "image/png"), artifact("page.html", "text/html")),
        anomalous_frames=(
            AnomalousFrame(
                frame_id=5, timestamp=1.0, confidence=0.5, heatmap="frame-1.png", overlay="frame-1.png"
            ),
        ),
        audio_anomalies=(AudioAnomaly(start_s=0, end_s=1, confidence=0.5, saliency="frame-1.png"),),
    ))
    results = get(client, job_id)["results"]
    url = results["artifacts"][0]["url"]
    assert url == results["anomalous_frames"][0]["overlay_url"]
    assert url == results["audio_anomalies"][0]["saliency_url"]
    picture = client.get(url)
    assert (picture.status_code, picture.content) == (200, b"content of frame-1.png")
    assert picture.headers["content-type"] == "image/png"
    assert picture.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in picture.headers["content-security-policy"]
    page = client.get(f"/api/v1/jobs/{job_id}/artifacts/page.html")
    assert page.headers["content-type"] == "application/octet-stream"
    assert page.headers["content-disposition"].startswith("attachment")
    replica.store.remove(f"jobs/{job_id}/artifacts/frame-1.png")
    assert client.get(url).json()["code"] == "not_found"


@pytest.mark.parametrize("name", ["other.png", "..%2F..%2Fmedia", "media", "%2e%2e%2fmedia"])
def test_only_listed_artifacts_are_served(
    replica: Ingest, client: Client, job_id: str, name: str
) -> None:
    told(replica, job_id, planned(job_id), verdict(job_id), explained(job_id))
    assert client.get(f"/api/v1/jobs/{job_id}/artifacts/{name}").status_code in (404, 422)


def test_a_deleted_job_reads_cancelled_until_its_ttl_and_leaves_no_objects(
    replica: Ingest, client: Client, job_id: str
) -> None:
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 204
    assert not list(replica.store.list("jobs/"))
    told(replica, job_id, planned(job_id), score(job_id, 0), verdict(job_id), explained(job_id))
    job = get(client, job_id)
    assert (job["status"], job["media"], job["results"]) == ("cancelled", None, None)
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 204
    replica.clock.forward(replica.settings.deleted_ttl_s + 1)
    assert client.get(f"/api/v1/jobs/{job_id}").status_code == 404
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 404
    assert client.get("/api/v1/jobs").json()["jobs"] == []


def test_deleting_without_the_object_store_is_promised(replica: Ingest, client: Client, job_id: str) -> None:
    replica.store.outage = "away"
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 202
    replica.store.outage = None
    replica.clock.forward(replica.settings.sweep_again_s + 1)
    replica.sweeper().sweep()
    assert not list(replica.store.list("jobs/"))


def test_unknown_paths_methods_and_ids_are_problems(client: Client) -> None:
    for answer, status in (
        (client.get("/api/v1/nothing"), 404), (client.request("PUT", "/api/v1/jobs"), 405),
        (client.get("/api/v1/jobs/not-an-id"), 422),
    ):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


def test_health_and_metrics_are_on_the_same_port(client: Client, job_id: str) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").json()["status"] == "ok"
    text = client.get("/metrics").text
    assert 'veracity_jobs_taken_total{source="upload"}' in text
    assert 'route="/api/v1/jobs/analyze-video"' in text
    assert job_id not in text
