"""Supervisor: its configuration, how it is started, asked and ended."""

import subprocess
import sys
import xmlrpc.client
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from deploy.local.layout import ROOT, SERVICES, Layout
from deploy.local.process import wait_until
from deploy.local.programs import Program

STOP_WITHIN_S = 60.0  # supervisor kills what takes longer than its program's stopwaitsecs
ORPHANS_STOP_WITHIN_S = 15.0
MARK = "VERACITY_STACK"  # in the environment of every process of a stack: whose it is


class NotRunning(Exception):
    """No supervisor answers for this stack."""


def configuration(layout: Layout, programs: Iterable[Program]) -> str:
    """supervisord.conf: nothing starts by itself, everything that was started is restarted when it ends."""
    head = f"""\
[supervisord]
logfile={_text(layout.log("supervisord"))}
pidfile={_text(layout.state / "supervisord.pid")}
directory={_text(ROOT)}
umask=077
[unix_http_server]
file={_text(layout.socket)}
chmod=0700
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{_text(layout.socket)}
"""
    return head + "".join(_section(layout, program) for program in programs)


def _section(layout: Layout, program: Program) -> str:
    environment = program.environment | {MARK: str(layout.state)}
    pairs = ",".join(f'{name}="{_text(value)}"' for name, value in environment.items())
    command = " ".join(f'"{_text(word)}"' for word in program.command)
    return f"""\
[program:{program.name}]
command={command}
environment={pairs}
autostart=false
autorestart=true
startsecs=1
startretries=1000
stopwaitsecs={program.stop_s}
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile={_text(_text(layout.log(program.name)))}
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=2
"""


def _text(value: object) -> str:
    """As a value that supervisor expands once (names of log files it expands twice)."""
    return str(value).replace("%", "%%")


class Supervisor:
    """The running supervisor of a stack, over its socket. Calls raise NotRunning."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def call(self, method: str, *arguments: object) -> Any:
        """One XML-RPC call of the `supervisor` namespace."""
        # A new connection each time: a transport that met a closed socket once never recovers.
        transport = SupervisorTransport(None, None, f"unix://{self._layout.socket}")
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        try:
            return getattr(proxy.supervisor, method)(*arguments)
        except (OSError, HTTPException) as error:
            raise NotRunning(f"nothing answers at {self._layout.socket}") from error
        finally:
            transport.close()

    def running(self) -> bool:
        """Whether it answers and is not about to end."""
        try:
            return bool(self.call("getState")["statecode"] == 1)
        except (NotRunning, xmlrpc.client.Fault):
            return False

    def processes(self) -> dict[str, dict[str, Any]]:
        """Name to what supervisor knows of it: statename, pid, start, now."""
        return {info["name"]: info for info in self.call("getAllProcessInfo")}

    def start(self, name: str) -> None:
        """Start one program if it is not running. Does not wait for it."""
        try:
            self.call("startProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if not fault.faultString.startswith("ALREADY_STARTED"):
                raise

    def launch(self) -> None:
        """Start the supervisor itself in the background. Raises NotRunning when it does not come up."""
        self._layout.socket.unlink(missing_ok=True)
        daemon = Path(sys.executable).with_name("supervisord")
        subprocess.run([daemon, "-c", self._layout.configuration], check=True, cwd=ROOT)  # noqa: S603
        if not wait_until(self.running, 20):
            raise NotRunning(f"supervisor did not come up: {self._layout.log('supervisord')}")

    def end(self) -> None:
        """Stop the services, then what they lean on, then the supervisor, then what a killed one left."""
        if self.running():
            names = list(self.processes())
            self._stop([name for name in names if name in SERVICES])
            self._stop([name for name in names if name not in SERVICES])
            pid = self.call("getPID")
            self.call("shutdown")
            wait_until(lambda: not psutil.pid_exists(pid), STOP_WITHIN_S)
        orphans = leftovers(self._layout)
        for process in orphans:
            _ask(process.terminate)
        for process in psutil.wait_procs(orphans, ORPHANS_STOP_WITHIN_S)[1]:
            _ask(process.kill)
        psutil.wait_procs(orphans, STOP_WITHIN_S)
        self._layout.socket.unlink(missing_ok=True)

    def _stop(self, names: Sequence[str]) -> None:
        for name in names:
            try:
                self.call("stopProcess", name, False)
            except xmlrpc.client.Fault as fault:
                if not fault.faultString.startswith("NOT_RUNNING"):
                    raise
        wait_until(lambda: not any(self.processes()[name]["pid"] for name in names), STOP_WITHIN_S)


def _ask(end: Callable[[], None]) -> None:
    with suppress(psutil.NoSuchProcess):
        end()


def leftovers(layout: Layout) -> list[psutil.Process]:
    """Processes that bear this stack's mark: what outlived a supervisor that was killed."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(layout.state) and process.pid != psutil.Process().pid:
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess, OSError):
            continue
    return found


