"""fetch and doctor."""

import json
from pathlib import Path

import httpx
import pytest

from client.fetching import safe_name
from tests.support.client import connected, run
from tests.support.fake_api import FAILED, JOB, RUNNING, FakeApi


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    played = FakeApi()
    connected(played, monkeypatch)
    return played


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_fetch_saves_the_verdict_and_every_file(api: FakeApi, tmp_path: Path) -> None:
    job = api.with_files({"timeline.png": b"picture", "report.json": b"{}"})
    ended = run("fetch", JOB, "--to", str(tmp_path / "new" / "folder"))
    assert ended.status == 0
    found = files_in(tmp_path / "new" / "folder")
    assert json.loads(found.pop("verdict.json")) == job
    assert found == {"timeline.png": b"picture", "report.json": b"{}"}


def test_fetch_lists_its_files_as_json(api: FakeApi, tmp_path: Path) -> None:
    api.with_files({"timeline.png": b"picture"})
    ended = run("fetch", JOB, "--to", str(tmp_path), "--json")
    files = [str(tmp_path / "verdict.json"), str(tmp_path / "timeline.png")]
    assert ended.json() == {"job_id": JOB, "status": "completed", "files": files}


def test_a_file_that_is_not_what_was_reported_is_not_kept(api: FakeApi, tmp_path: Path) -> None:
    api.with_files({"timeline.png": b"picture"})
    api.files["timeline.png"] = b"something else"
    ended = run("fetch", JOB, "--to", str(tmp_path), "--json")
    assert (ended.status, ended.json()["error"]["code"]) == (5, "wrong_checksum")
    assert set(files_in(tmp_path)) == {"verdict.json"}


def test_names_never_leave_the_folder(api: FakeApi, tmp_path: Path) -> None:
    names = ["../../evil.png", "/etc/passwd", "..", "verdict.json", ".bashrc", "a b;rm -rf.png", "x/../y.png"]
    api.with_files({name: name.encode() for name in names})
    assert run("fetch", JOB, "--to", str(tmp_path / "to")).status == 0
    found = files_in(tmp_path)
    assert len(found) == len(names) + 1
    assert all(Path(name).parent == Path("to") for name in found)
    assert sorted(data for name, data in found.items() if name != "to/verdict.json") == sorted(
        name.encode() for name in names
    )


@pytest.mark.parametrize(
    ("name", "safe"),
    [("timeline.png", "timeline.png"), ("../a", "_a"), ("-rf", "rf"), ("\x1b[2J", "__2J"), ("", "unnamed")],
)
def test_a_safe_name_is_a_plain_one(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_job_that_runs_has_nothing_to_fetch(api: FakeApi, tmp_path: Path) -> None:
    api.jobs = [RUNNING]
    ended = run("fetch", JOB, "--to", str(tmp_path / "to"), "--json")
    assert (ended.status, ended.json()["error"]["code"]) == (5, "not_finished")
    assert not (tmp_path / "to").exists()


def test_a_failed_job_leaves_its_document(api: FakeApi, tmp_path: Path) -> None:
    api.jobs = [FAILED]
    assert run("fetch", JOB, "--to", str(tmp_path)).status == 4
    assert json.loads((tmp_path / "verdict.json").read_text()) == FAILED


def test_an_artifact_on_another_host_is_not_fetched(api: FakeApi, tmp_path: Path) -> None:
    job = api.with_files({"timeline.png": b"picture"})
    job["results"]["artifacts"][0]["url"] = "http://169.254.169.254/latest"
    ended = run("fetch", JOB, "--to", str(tmp_path), "--json")
    assert (ended.status, ended.json()["error"]["code"]) == (5, "foreign_url")


def test_doctor_finds_a_service_that_is_ready(api: FakeApi) -> None:
    ended = run("doctor", "--json")
    assert ended.status == 0
    assert [(check["check"], check["ok"]) for check in ended.json()["checks"]] == [
        ("reachable", True), ("ready", True), ("api version", True)
    ]
    assert "next: veracity submit" in run("doctor").stdout


def test_doctor_says_what_to_do_about_one_that_is_not(api: FakeApi) -> None:
    api.ready = httpx.Response(503, json={"ready": False, "waiting_for": ["broker"]})
    ended = run("doctor")
    assert ended.status == 5
    assert "broker" in ended.stdout
    assert "make logs" in ended.stdout


def test_doctor_says_how_to_start_one_that_is_away(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(api, "transport", lambda: httpx.MockTransport(refuse))
    ended = run("doctor", "--json")
    assert (ended.status, ended.json()["ok"]) == (5, False)
    assert "make up" in ended.json()["checks"][0]["advice"]
