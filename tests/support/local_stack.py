"""A whole stack of its own for tests and measurements, driven by the commands that an operator types."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.layout import ROOT, Layout
from deploy.local.stack import all_programs
from deploy.local.supervise import NotRunning, Supervisor
from shared.messaging.settings import KafkaSettings


class LocalStack:
    """Everything it keeps is below `state`; its ports are `base` and some above. A context manager."""

    def __init__(self, state: Path, base: int, environment: Mapping[str, str] | None = None) -> None:
        self.layout = Layout(state.absolute(), base)
        own = {"VERACITY_STATE_ROOT": str(self.layout.state), "VERACITY_PORT_BASE": str(base)}
        self._environment = {**os.environ, **(environment or {}), **own}

    @property
    def url(self) -> str:
        """Of the API."""
        return self.layout.api

    @property
    def kafka(self) -> KafkaSettings:
        return KafkaSettings(bootstrap_servers=f"127.0.0.1:{self.layout.port('kafka')}")

    def wipe(self) -> None:
        """Forget what an earlier run kept."""
        shutil.rmtree(self.layout.state, ignore_errors=True)

    def up(self) -> None:
        """Returns when every part is ready. Raises CalledProcessError."""
        self._stack("up")

    def down(self) -> None:
        self._stack("down")

    def ready(self) -> bool:
        """Whether every part says that it is."""
        servers, services = all_programs(self.layout)
        return not any(program.why_not() for program in (*servers, *services))

    def pids(self) -> dict[str, int]:
        """Of the processes that run now; empty while the supervisor does not answer."""
        try:
            found = Supervisor(self.layout).processes()
        except NotRunning:
            return {}
        return {name: info["pid"] for name, info in found.items() if info["pid"]}

    def stop(self, name: str) -> None:
        """Take one process out until `start`."""
        Supervisor(self.layout).call("stopProcess", name)

    def start(self, name: str) -> None:
        Supervisor(self.layout).start(name)

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def _stack(self, action: str) -> None:
        command = [sys.executable, "-m", "deploy.local.stack", action]
        subprocess.run(  # noqa: S603 - our own command
            command, env=self._environment, cwd=ROOT, check=True, stdout=sys.stderr
        )
