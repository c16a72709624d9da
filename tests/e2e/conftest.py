"""One whole stack for all end-to-end tests of a session, driven by the commands that an operator types."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from deploy.local.layout import ROOT
from deploy.local.ports import free_base
from tests.support.clip_files import Frames, Samples, read_clip
from tests.support.local_stack import LocalStack
from tests.support.stack_client import StackClient

LIMIT_BYTES = 64 * 1024 * 1024  # low, so that a file over it is quickly made
LIMITS = {"VERACITY_LIMIT_MAX_BYTES": str(LIMIT_BYTES)}


@pytest.fixture(scope="session")
def running_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Up once, down at the end."""
    with LocalStack(tmp_path_factory.mktemp("stack"), free_base(), LIMITS) as stack:
        yield stack


@pytest.fixture
def stack(running_stack: LocalStack) -> LocalStack:
    """The session's stack with every part running and ready, whatever the test before did to it."""
    if not running_stack.ready():
        running_stack.up()
    return running_stack


@pytest.fixture
def client(stack: LocalStack) -> Iterator[StackClient]:
    """Talks to the stack's API."""
    with closing(StackClient(stack.url)) as client:
        yield client


@pytest.fixture(scope="session")
def demo() -> tuple[Frames, Samples]:
    """The demo clip's picture and sound."""
    return read_clip(ROOT / "deploy" / "local" / "demo" / "clip.mp4")
