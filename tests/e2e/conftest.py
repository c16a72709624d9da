"""One whole stack for all end-to-end tests of a session, driven by the commands that an operator types."""

from collections.abc import Iterator

import pytest

from deploy.local.ports import free_base
from tests.support.local_stack import LocalStack

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
