"""Log lines are JSON, carry the job and the trace, and no secrets."""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shared.observability.logs import bind, setup_logging
from shared.observability.tracing import new_traceparent, trace_id


@contextmanager
def service() -> Iterator[logging.Logger]:
    """What `setup_logging` does to this process, undone afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    setup_logging("svc")
    try:
        yield logging.getLogger("test")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(False)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_says_when_who_and_what(capsys: pytest.CaptureFixture[str]) -> None:
    with service() as log:
        log.warning("decoded %d", 3, extra={"windows": 30})
    (line,) = lines(capsys)
    assert line.pop("ts").endswith("+00:00")
    expected = {"level": "WARNING", "service": "svc", "logger": "test", "msg": "decoded 3", "windows": 30}
    assert line == expected


def test_lines_carry_what_is_bound(capsys: pytest.CaptureFixture[str]) -> None:
    parent = new_traceparent()
    with service() as log:
        with bind(job_id="j1", traceparent=parent):
            log.info("inside")
            with bind(job_id="j2"):
                log.info("deeper")
        log.info("outside")
    first, second, third = lines(capsys)
    assert (first["job_id"], first["trace_id"]) == ("j1", trace_id(parent))
    assert (second["job_id"], second["trace_id"]) == ("j2", trace_id(parent))
    assert "job_id" not in third


def test_other_threads_are_not_bound(capsys: pytest.CaptureFixture[str]) -> None:
    with service() as log, bind(job_id="j1"):
        thread = threading.Thread(target=log.info, args=("elsewhere",))
        thread.start()
        thread.join()
    assert "job_id" not in lines(capsys)[0]


def test_secrets_are_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    with service() as log:
        log.error("secret_key=abc123 at https://u:abc123@h/", extra={"sasl_password": "abc123", "n": 1})
        try:
            raise ValueError("token: abc123")
        except ValueError:
            log.exception("failed")
    text = capsys.readouterr().err
    assert "abc123" not in text
    assert "[hidden]" in text


def test_exceptions_stay_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with service() as log:
        try:
            raise ValueError("a\nb")
        except ValueError:
            log.exception("failed")
    (line,) = lines(capsys)
    assert "ValueError" in line["exc_info"]


def test_setting_up_twice_does_not_double_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with service() as log:
        setup_logging("svc")
        log.info("once")
    assert len(lines(capsys)) == 1
