"""Supervisor over small programs: restarts, and what is left when supervisor itself is killed."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.layout import Layout, write_secret
from deploy.local.process import wait_until
from deploy.local.programs import Program
from deploy.local.supervise import NotRunning, Supervisor, configuration, leftovers

SCRIPTS = {
    "calm": "import signal\nsignal.pause()",
    "stubborn": "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: signal.pause()",
}


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    layout = Layout(tmp_path / "50% off", 17000)
    layout.log("any").parent.mkdir(parents=True)
    programs = []
    for name, text in SCRIPTS.items():
        script = layout.state / f"{name}.py"
        script.write_text(text)
        programs.append(Program(name, [sys.executable, str(script)], 1, str, stop_s=1))
    write_secret(layout.configuration, configuration(layout, programs))
    yield layout
    Supervisor(layout).end()


@pytest.fixture
def supervisor(layout: Layout) -> Supervisor:
    supervisor = Supervisor(layout)
    supervisor.launch()
    for name in SCRIPTS:
        supervisor.start(name)
    assert wait_until(lambda: all(pids(supervisor).values()), 10)
    return supervisor


def pids(supervisor: Supervisor) -> dict[str, int]:
    return {name: int(info["pid"]) for name, info in supervisor.processes().items()}


def test_killed_program_is_started_again(supervisor: Supervisor) -> None:
    running = {"statename": "RUNNING"}
    assert wait_until(lambda: running.items() <= supervisor.processes()["calm"].items(), 10)
    before = pids(supervisor)
    os.kill(before["calm"], signal.SIGKILL)
    assert wait_until(lambda: pids(supervisor)["calm"] not in (0, before["calm"]), 10)
    assert pids(supervisor)["stubborn"] == before["stubborn"]


def test_end_leaves_nothing_of_a_program_that_will_not_go(layout: Layout, supervisor: Supervisor) -> None:
    supervisor.end()
    assert not supervisor.running()
    assert leftovers(layout) == []
    assert not layout.socket.exists()


def test_what_a_killed_supervisor_left_is_found_and_ended(
    layout: Layout, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.local.supervise.ORPHANS_STOP_WITHIN_S", 1.0)
    os.kill(supervisor.call("getPID"), signal.SIGKILL)
    assert wait_until(lambda: not supervisor.running(), 10)
    assert len(leftovers(layout)) == len(SCRIPTS)
    Supervisor(layout).end()
    assert leftovers(layout) == []
    supervisor.launch()
    assert not any(pids(supervisor).values())


def test_other_stacks_are_left_alone(supervisor: Supervisor, tmp_path: Path) -> None:
    other = Supervisor(Layout(tmp_path / "other", 17000))
    other.end()
    with pytest.raises(NotRunning):
        other.processes()
    assert all(pids(supervisor).values())
