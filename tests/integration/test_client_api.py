"""The client and the API that it was made for, over HTTP."""

import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import client.following
from services.ingest.api import create_app
from shared.contracts.base import ErrorBody
from shared.contracts.job_view import JobView
from shared.contracts.jobs import Rejected
from shared.contracts.results import AnomalousFrame, Artifact, Explained
from shared.storage.keys import artifact_key
from tests.support.api import serving
from tests.support.client import Ended, run
from tests.support.ingest import MP4, Ingest, ingest, planned, score, verdict

PICTURE = b"\x89PNG a picture"


@pytest.fixture
def replica(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ingest]:
    with ingest(tmp_path / "state") as replica:
        replica.sweeper().sweep()
        with serving(create_app(replica.api())) as url:
            monkeypatch.setenv("VERACITY_URL", url)
            yield replica


@pytest.fixture
def clip(tmp_path: Path) -> str:
    path = tmp_path / "talk.mp4"
    path.write_bytes(MP4)
    return str(path)


def submitted(clip: str) -> str:
    return str(run("submit", clip, "--json").json()["job_id"])


def explained(replica: Ingest, job: str) -> Explained:
    replica.store.put(artifact_key(job, "overlay.png"), PICTURE, "image/png")
    artifact = Artifact(
        name="overlay.png", sha256=hashlib.sha256(PICTURE).hexdigest(), size=len(PICTURE),
        media_type="image/png",
    )
    frame = AnomalousFrame(
        frame_id=3, timestamp=0.6, confidence=0.25, heatmap="overlay.png", overlay="overlay.png"
    )
    return Explained(job_id=job, status="ok", artifacts=(artifact,), anomalous_frames=(frame,))


def complete(replica: Ingest, job: str) -> None:
    replica.say(planned(job), *(score(job, window) for window in range(3)), verdict(job))
    replica.say(explained(replica, job))


def test_a_clip_becomes_a_job_that_status_knows(replica: Ingest, clip: str) -> None:
    job = submitted(clip)
    ended = run("status", job, "--json")
    assert (ended.status, ended.json()["status"]) == (0, "pending")
    assert JobView.model_validate(ended.json()).job_id == job


def test_watch_follows_a_job_to_its_verdict(replica: Ingest, clip: str) -> None:
    job = submitted(clip)
    ended: list[Ended] = []
    watching = threading.Thread(target=lambda: ended.append(run("watch", job, "--json", "--timeout", "60")))
    watching.start()
    complete(replica, job)
    watching.join()
    assert ended[0].status == 0
    assert ended[0].json()["results"]["verdict"] == "inconclusive"
    assert ended[0].json() == run("status", job, "--json").json()


def test_a_clip_too_short_for_the_events_is_shown_whole(replica: Ingest, clip: str) -> None:
    job = submitted(clip)
    complete(replica, job)
    ended = run("watch", job)
    assert ended.status == 0
    assert "INCONCLUSIVE" in ended.stdout


def test_fetch_brings_what_the_job_left(replica: Ingest, clip: str, tmp_path: Path) -> None:
    job = submitted(clip)
    complete(replica, job)
    assert run("watch", job, "--json").status == 0
    assert run("fetch", job, "--to", str(tmp_path / "to")).status == 0
    assert (tmp_path / "to" / "overlay.png").read_bytes() == PICTURE
    assert json.loads((tmp_path / "to" / "verdict.json").read_text())["job_id"] == job


def test_a_job_that_planning_rejects_ends_with_4(replica: Ingest, clip: str) -> None:
    job = submitted(clip)
    replica.say(Rejected(job_id=job, error=ErrorBody(code="unreadable_media", message="damaged")))
    ended = run("watch", job, "--json")
    assert (ended.status, ended.json()["error"]["code"]) == (4, "unreadable_media")


def test_what_the_door_refuses_ends_with_3(replica: Ingest, tmp_path: Path) -> None:
    for name, data, code in (
        ("empty.mp4", b"", "empty_file"), ("text.mp4", b"just words" * 1000, "unsupported_media"),
        ("large.mp4", MP4 * 200, "too_large"),
    ):
        (tmp_path / name).write_bytes(data)
        ended = run("submit", str(tmp_path / name), "--wait", "--json")
        assert (ended.status, ended.json()["error"]["code"]) == (3, code)
    ended = run("submit", "https://10.0.0.1/clip.mp4", "--json")
    assert (ended.status, ended.json()["error"]["code"]) == (3, "url_forbidden")
    ended = run("status", "00000000-0000-4000-8000-000000000000", "--json")
    assert (ended.status, ended.json()["error"]["code"]) == (3, "not_found")


def test_the_same_key_is_the_same_job(replica: Ingest, clip: str) -> None:
    first = run("submit", clip, "--idempotency-key", "k1", "--json")
    assert run("submit", clip, "--idempotency-key", "k1", "--json").json() == first.json()
    other = run("submit", clip, "--idempotency-key", "k1", "--top-k", "9", "--json")
    assert (other.status, other.json()["error"]["code"]) == (3, "idempotency_conflict")


def test_out_of_time_ends_with_5(
    replica: Ingest, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client.following, "POLL_S", 0.01)
    ended = run("submit", clip, "--wait", "--timeout", "0.3", "--json")
    assert (ended.status, ended.json()["error"]["code"]) == (5, "out_of_time")


def test_doctor_finds_the_real_service_ready(replica: Ingest) -> None:
    ended = run("doctor", "--json")
    assert (ended.status, ended.json()["ok"]) == (0, True)
