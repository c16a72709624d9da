"""The whole stack by its commands and public interfaces only."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from deploy.local.layout import ROOT
from tests.support.local_stack import LocalStack
from tests.support.stack_client import PATH, StackClient, problem, wait_for

pytestmark = pytest.mark.stack
DEMO = ROOT / "deploy" / "local" / "demo" / "clip.mp4"
PNG = b"\x89PNG\r\n\x1a\n"


def run(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A command of ours with some variables set."""
    return subprocess.run(command, env=os.environ | environment, cwd=ROOT,  # noqa: S603 - our own
                          capture_output=True, text=True, check=False)


def veracity(stack: LocalStack, *arguments: str) -> dict[str, Any]:
    """What a client command prints with --json; the command must succeed."""
    client = str(Path(sys.executable).with_name("veracity"))
    done = run(client, *arguments, "--json", VERACITY_URL=stack.url)
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_demo_clip_gets_a_verdict_with_pictures(stack: LocalStack, client: StackClient) -> None:
    job = veracity(stack, "submit", str(DEMO), "--wait")
    jsonschema.validate(job, json.loads((ROOT / "docs/schemas/job-view.v1.json").read_text()))
    assert job["status"] == "completed"
    assert job["media"]["sha256"] == hashlib.sha256(DEMO.read_bytes()).hexdigest()
    results = job["results"]
    assert results["verdict"] == "inconclusive", "the shipped bundle has no measured error rates"
    assert results["bundle"]["measured"] is None
    assert [window["index"] for window in results["windows"]] == list(range(6))
    assert {window["face"] for window in results["windows"]} == {1}
    assert results["degraded"] == []
    for artifact in results["artifacts"]:
        found = client.http.get(artifact["url"])
        assert hashlib.sha256(found.content).hexdigest() == artifact["sha256"]
        assert found.headers["content-type"].split(";")[0] == artifact["media_type"]
    frames = results["anomalous_frames"]
    assert frames
    for url in (frames[0]["heatmap_url"], frames[0]["overlay_url"]):
        assert client.http.get(url).content.startswith(PNG)
    assert veracity(stack, "status", job["job_id"]) == job


def test_demo_shows_each_verdict_and_where_to_look(stack: LocalStack) -> None:
    shown = run(sys.executable, "-m", "deploy.local.demo", VERACITY_STATE_ROOT=str(stack.layout.state))
    assert shown.returncode == 0, shown.stdout + shown.stderr
    for name in ("clip", "face-blended", "sound-shifted"):
        folder = stack.layout.state / "demo" / name
        assert f"{name}: {folder}, {stack.url}{PATH}/" in shown.stdout
        assert {"verdict.json", "report.json", "timeline.png"} <= {file.name for file in folder.iterdir()}
    assert shown.stdout.count("INCONCLUSIVE") == 3


def test_fetch_brings_everything_home(stack: LocalStack, client: StackClient, tmp_path: Path) -> None:
    job = client.submit(DEMO.read_bytes(), key="fetched")
    assert client.finished(job).status == "completed"
    files = veracity(stack, "fetch", job, "--to", str(tmp_path / "evidence"))["files"]
    assert {"verdict.json", "report.json", "timeline.png"} <= {Path(file).name for file in files}
    assert all(Path(file).stat().st_size for file in files)


def test_same_key_is_the_same_job_and_another_body_a_conflict(client: StackClient) -> None:
    content = DEMO.read_bytes()
    first = client.submit(content, key="once")
    assert client.submit(content, key="once") == first
    refused = client.post(content[:-1], key="once")
    assert refused.status_code == 409
    assert problem(refused) == "idempotency_conflict"
    assert client.finished(first).status == "completed"


def test_deleted_job_reads_cancelled_and_its_files_are_gone(client: StackClient) -> None:
    job = client.finished(client.submit(DEMO.read_bytes(), key="deleted"))
    assert job.results
    picture = job.results.artifacts[0].url
    assert client.http.get(picture).status_code == 200
    assert client.http.delete(f"{PATH}/{job.job_id}").status_code == 204
    wait_for(lambda: client.job(job.job_id).status == "cancelled", "the deletion", 20)
    wait_for(lambda: client.http.get(picture).status_code == 404, "the picture's removal", 20)


def test_progress_is_told_as_it_happens(client: StackClient) -> None:
    job = client.submit(DEMO.read_bytes(), key="watched")
    with client.http.stream("GET", f"{PATH}/{job}/events", timeout=120) as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        told = [json.loads(line[5:]) for line in events.iter_lines() if line.startswith("data:")]
    assert told[-1]["status"] == "completed"
    assert len(told) > 1


def test_ports_of_another_process_are_named_and_it_is_left_alone(stack: LocalStack, tmp_path: Path) -> None:
    own = {"VERACITY_STATE_ROOT": str(tmp_path), "VERACITY_PORT_BASE": str(stack.layout.base)}
    up = run(sys.executable, "-m", "deploy.local.stack", "up", **own)
    assert up.returncode == 1
    assert f"port {stack.layout.port('kafka')} for kafka is taken" in up.stderr
    assert run(sys.executable, "-m", "deploy.local.stack", "down", **own).returncode == 0
    assert stack.ready()


def test_killed_process_comes_back(stack: LocalStack) -> None:
    before = stack.pids()
    os.kill(before["explain"], signal.SIGKILL)
    wait_for(lambda: stack.pids().get("explain", before["explain"]) != before["explain"], "a new process", 30)
    wait_for(stack.ready, "the stack", 60)
    assert {name: pid for name, pid in stack.pids().items() if name != "explain"} == {
        name: pid for name, pid in before.items() if name != "explain"
    }


def test_status_lists_every_process(stack: LocalStack) -> None:
    own = {"VERACITY_STATE_ROOT": str(stack.layout.state)}
    status = run(sys.executable, "-m", "deploy.local.stack", "status", **own)
    assert status.returncode == 0, status.stdout
    lines = {line.split()[0]: line.split() for line in status.stdout.splitlines()[1:]}
    assert lines.keys() == stack.pids().keys()
    assert {line[-1] for line in lines.values()} == {"ready"}
