"""submit, status, watch: what they print and how they end."""

from pathlib import Path

import httpx
import pytest

import client.following
from tests.support.client import connected, run
from tests.support.fake_api import COMPLETED, FAILED, JOB, RUNNING, FakeApi, problem, progress, told


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    played = FakeApi()
    connected(played, monkeypatch)
    return played


@pytest.fixture
def clip(tmp_path: Path) -> str:
    path = tmp_path / "talk.mp4"
    path.write_bytes(b"0123456789" * 50_000)
    return str(path)


def test_submit_says_the_job_and_nothing_else_on_stdout(api: FakeApi, clip: str) -> None:
    ended = run("submit", clip)
    assert (ended.status, ended.stdout) == (0, f"{JOB}\n")
    assert f"veracity watch {JOB}" in ended.stderr


def test_submit_sends_the_file_its_name_and_the_options(api: FakeApi, clip: str) -> None:
    run("submit", clip, "--top-k", "3", "--idempotency-key", "k1", "--json")
    sent = api.requests[0]
    assert sent.headers["Idempotency-Key"] == "k1"
    assert sent.headers["Content-Length"] == str(len(sent.content))
    assert b'name="file"; filename="talk.mp4"' in sent.content
    assert b'name="top_k"\r\n\r\n3' in sent.content
    assert Path(clip).read_bytes() in sent.content


def test_submit_passes_a_url_on(api: FakeApi) -> None:
    ended = run("submit", "https://media.example/talk.mp4", "--json")
    assert ended.json() == {"job_id": JOB, "status": "pending", "status_url": f"/api/v1/jobs/{JOB}"}
    assert b'"video_url":"https://media.example/talk.mp4"' in api.requests[0].content.replace(b'": "', b'":"')


def test_submit_wait_prints_the_verdict_for_people(api: FakeApi, clip: str) -> None:
    api.events = [told(progress(0), progress(1), ("window", {"index": 0}), progress(2), ("done", COMPLETED))]
    ended = run("submit", clip, "--wait", "--url", "http://veracity.example")
    assert ended.status == 0
    for words in (
        "INCONCLUSIVE", "p_fake 0.74", "interval 0.31 to 0.93", "no measured skill", "decode_failed",
        "0:30.5",
        f"http://veracity.example/api/v1/jobs/{JOB}/artifacts/frame-000152-overlay.png",
    ):
        assert words in ended.stdout
    assert f"job {JOB}" in ended.stderr


@pytest.mark.parametrize("command", [["submit", "CLIP", "--wait"], ["status", JOB], ["watch", JOB]])
def test_json_is_the_jobs_document_and_nothing_else(api: FakeApi, clip: str, command: list[str]) -> None:
    ended = run(*(clip if word == "CLIP" else word for word in command), "--json")
    assert ended.json() == COMPLETED
    assert (ended.status, ended.stderr) == (0, "")


def test_json_keeps_what_this_client_does_not_know(api: FakeApi) -> None:
    api.jobs = [COMPLETED | {"added_later": 1}]
    assert run("status", JOB, "--json").json()["added_later"] == 1


def test_a_running_job_has_not_failed(api: FakeApi) -> None:
    api.jobs = [RUNNING]
    ended = run("status", JOB)
    assert ended.status == 0
    assert "running" in ended.stdout
    assert "1 of 2 segments" in ended.stdout


@pytest.mark.parametrize("command", [["status", JOB], ["watch", JOB], ["submit", "CLIP", "--wait"]])
def test_a_failed_job_ends_with_4_and_its_reason(api: FakeApi, clip: str, command: list[str]) -> None:
    api.jobs, api.events = [FAILED], [told(("done", FAILED))]
    command = [clip if word == "CLIP" else word for word in command]
    ended = run(*command)
    assert ended.status == 4
    assert "unreadable_media" in ended.stdout
    ended = run(*command, "--json")
    assert (ended.status, ended.json()) == (4, FAILED)


@pytest.mark.parametrize(
    ("code", "status"), [("unsupported_media", 415), ("too_large", 413), ("idempotency_conflict", 409)]
)
def test_what_the_door_refuses_ends_with_3(api: FakeApi, clip: str, code: str, status: int) -> None:
    api.submissions = [problem(code, status)]
    ended = run("submit", clip, "--wait", "--json")
    assert (ended.status, ended.json()) == (3, {"error": {"code": code, "message": "why"}})
    ended = run("submit", clip)
    assert (ended.status, ended.stdout) == (3, "")
    assert code in ended.stderr


def test_an_unknown_job_ends_with_3(api: FakeApi) -> None:
    api.jobs, api.events = [problem("not_found", 404)], [problem("not_found", 404)]
    for command in ("status", "watch"):
        ended = run(command, "nope", "--json")
        assert (ended.status, ended.json()["error"]["code"]) == (3, "not_found")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), problem("not_ready", 503),
        httpx.Response(502, text="<html>"), httpx.Response(200, text="hello"),
    ],
)
def test_a_service_that_is_away_ends_with_5(
    api: FakeApi, clip: str, answer: httpx.Response | Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client.following, "PATIENCE_S", 0.0)
    api.submissions, api.jobs, api.events = [answer], [answer], [answer]
    for command in (["submit", clip], ["status", JOB], ["watch", JOB]):
        ended = run(*command, "--json")
        assert ended.status == 5
        assert set(ended.json()["error"]) == {"code", "message"}
        assert run(*command).status == 5


def test_out_of_time_ends_with_5_and_says_how_to_go_on(api: FakeApi, clip: str) -> None:
    api.jobs, api.events = [RUNNING], [told(progress(0))]
    ended = run("submit", clip, "--wait", "--timeout", "0.1", "--json")
    assert (ended.status, ended.json()["error"]["code"]) == (5, "out_of_time")
    assert f"veracity watch {JOB}" in ended.json()["error"]["message"]


def test_watch_goes_on_where_the_events_break_off(api: FakeApi) -> None:
    api.events = [
        told(progress(0)), httpx.ReadError("gone"), httpx.Response(503),
        told(progress(1), ("done", COMPLETED)),
    ]
    api.jobs = [httpx.ConnectError("refused"), RUNNING]
    assert run("watch", JOB, "--json").json() == COMPLETED


def test_watch_asks_where_there_are_no_events(api: FakeApi) -> None:
    api.events = [httpx.ReadTimeout("nothing comes")]
    api.jobs = [RUNNING, RUNNING, COMPLETED]
    assert run("watch", JOB, "--json").json() == COMPLETED


@pytest.mark.parametrize(
    "arguments",
    [
        ["submit"], ["submit", "/no/such/file.mp4"], ["submit", "/"], ["status"], ["no-such-command"],
        ["submit", "CLIP", "--top-k", "0"], ["status", JOB, "--url", "veracity.example"], ["fetch", JOB],
    ],
)
def test_wrong_usage_ends_with_2(api: FakeApi, clip: str, arguments: list[str]) -> None:
    ended = run(*(clip if word == "CLIP" else word for word in arguments))
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.stderr


def test_a_strangers_words_do_not_steer_the_terminal(api: FakeApi) -> None:
    api.jobs = [FAILED | {"error": {"code": "unreadable_media", "message": "\x1b[2J\x1b]0;hi\x07 [red]x"}}]
    ended = run("status", JOB)
    assert "\x1b]" not in ended.stdout
    assert "\x07" not in ended.stdout
    assert "[red]x" in ended.stdout


def test_the_url_comes_from_the_environment(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    run("status", JOB)
    monkeypatch.setenv("VERACITY_PORT_BASE", "18000")
    run("status", JOB)
    monkeypatch.setenv("VERACITY_URL", "https://veracity.example/base/")
    run("status", JOB)
    run("status", JOB, "--url", "http://other.example:1")
    assert [str(request.url).partition("/api/")[0] for request in api.requests] == [
        "http://127.0.0.1:17000", "http://127.0.0.1:18000", "https://veracity.example/base",
        "http://other.example:1",
    ]
