"""The `veracity` command in this process, against a played service."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

import client.following
import client.service
from client.cli import app
from client.service import Service
from tests.support.fake_api import FakeApi


class Ended:
    """How a command ended, and what it printed."""

    def __init__(self, status: int, stdout: str, stderr: str) -> None:
        self.status, self.stdout, self.stderr = status, stdout, stderr

    def json(self) -> Any:
        """All of stdout as one document."""
        return json.loads(self.stdout)


Run = Callable[..., Ended]


def run(*arguments: str) -> Ended:
    """A command; its `Exit` status is `status`."""
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    return Ended(result.exit_code, result.stdout, result.stderr)


def connected(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command talks to `api`, and waits for nothing."""
    monkeypatch.setattr(client.service, "connect", lambda url: Service(url, api.transport()))
    monkeypatch.setattr(client.following, "POLL_S", 0.0)
    monkeypatch.setenv("COLUMNS", "200")
