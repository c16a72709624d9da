import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import doctor
from deploy.local.layout import PORTS, ROOT
from deploy.local.ports import free_base


def examined(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The doctor as make runs it, in a folder of its own, without our packages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "S3_"))}
    command = [sys.executable, "-I", str(ROOT / "deploy" / "local" / "doctor.py")]
    return subprocess.run(  # noqa: S603 - our own command
        command, cwd=folder, env=kept | environment, capture_output=True, text=True, check=False)


def test_taken_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    base = free_base()
    with socket.socket() as other:
        other.bind(("127.0.0.1", base + 10))
        other.listen()
        found = examined(tmp_path, VERACITY_PORT_BASE=str(base))
    assert found.returncode == 1
    assert f"FAIL  port {base + 10} for kafka" in found.stdout
    assert "PORT_BASE=" in found.stdout
    assert f"ok    port {base} for ingest" in found.stdout


def test_given_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    base = free_base()
    found = examined(tmp_path, VERACITY_PORT_BASE=str(base), KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{base}")
    assert found.returncode == 1
    assert f"KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:{base} answers" in found.stdout
    assert "for kafka" not in found.stdout


@pytest.mark.parametrize("version", [(3, 10, 14), (3, 9, 0)])
def test_old_python_is_named(monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int]) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    good, text, advice = doctor.python()
    assert not good
    assert text == f"Python 3.{version[1]}"
    assert "3.11" in advice


def test_small_disk_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "DISK_GB", 10**9)
    good, text, advice = doctor.disk()
    assert not good
    assert "GB of disk free" in text and advice


def test_pid_of_a_stack_that_is_gone_hides_no_port(tmp_path: Path) -> None:
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "supervisord.pid").write_text("999999999")
    assert "for ingest" in examined(tmp_path, VERACITY_PORT_BASE=str(free_base())).stdout


def test_doctor_knows_the_ports_of_the_stack() -> None:
    assert {offset: name.replace(" ", "_") for offset, name in doctor.PORTS.items()} == {
        offset: name for name, offset in PORTS.items()
    }
