"""One JSON object a line on stderr: ts, level, service, logger, msg, job_id, trace_id, extras.

    setup_logging("video_worker")
    with bind(job_id=job_id, traceparent=traceparent):
        log.info("decoded", extra={"windows": 30})
"""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from shared.observability.tracing import trace_id

_context: ContextVar[dict[str, str] | None] = ContextVar("veracity_log_context", default=None)

_HIDDEN = "[hidden]"
_HIDE = r"password|passwd|secret|token(?!s)|credential|signature|authorization|access_?key|api_?key"
_SECRET_NAME = re.compile(_HIDE, re.I)
_SECRET_TEXT = (
    (re.compile(r"(\w+://[^\s:/@]*):[^\s@/]+@"), rf"\1:{_HIDDEN}@"),
    (re.compile(rf"((?:{_HIDE})[\w-]*[\"']?\s*[=:]\s*)(?:bearer |basic )?[\"']?[^\s\"'&,;]+", re.I),
     rf"\1{_HIDDEN}"),
)


def setup_logging(service: str, level: int | str = logging.INFO) -> None:
    """Sends every logger to stderr as JSON lines; may be called again, replaces root's handlers."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)


@contextmanager
def bind(*, job_id: str | None = None, traceparent: str | None = None) -> Iterator[None]:
    """Every line logged inside carries these; None keeps what an outer `bind` gave."""
    new = dict(_context.get() or {})
    if job_id:
        new["job_id"] = job_id
    if traceparent:
        new["trace_id"] = trace_id(traceparent)
    token = _context.set(new)
    try:
        yield
    finally:
        _context.reset(token)


def hide_secrets(text: str) -> str:
    """`text` without the passwords, tokens and signatures that clients' messages may quote."""
    for pattern, replacement in _SECRET_TEXT:
        text = pattern.sub(replacement, text)
    return text


class _Formatter(JsonFormatter):
    def __init__(self, service: str) -> None:
        super().__init__("%(message)s", rename_fields={"message": "msg"})
        self._service = service

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        head = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname, "service": self._service, "logger": record.name,
        }
        log_data.update(head, **(_context.get() or {}))
        super().add_fields(log_data, record, message_dict)
        for name, value in log_data.items():
            if _SECRET_NAME.search(name):
                log_data[name] = _HIDDEN
            elif isinstance(value, str):
                log_data[name] = hide_secrets(value)
