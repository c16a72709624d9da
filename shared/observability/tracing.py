"""W3C trace context carried by hand, because auto-instrumentation makes an orphan span of every poll.

    traceparent = "00-<trace id, 32 hex>-<span id, 16 hex>-01"
"""

import re
import secrets

_TRACEPARENT = re.compile(r"^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$")


def new_traceparent() -> str:
    """The root of a new trace."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def child_of(traceparent: str | None) -> str:
    """A new span in the same trace; a new trace where there is none or it is malformed."""
    match = _TRACEPARENT.match(traceparent or "")
    if match is None:
        return new_traceparent()
    return f"00-{match[1]}-{secrets.token_hex(8)}-{match[3]}"


def trace_id(traceparent: str | None) -> str:
    """The 32 hex digits that all records of one job share, or "" for a malformed traceparent."""
    match = _TRACEPARENT.match(traceparent or "")
    return match[1] if match else ""
