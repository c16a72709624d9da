"""What can go wrong has a name, and the name decides what happens next.

`BadMedia` is a result of the job and is never retried. `InvalidRecord` is dead-lettered with its
reason. `Transient` is retried with back-off until the job's deadline.
"""

from shared.contracts.errors import ERRORS


class BadMedia(Exception):
    """The media themselves are the problem; `code` is one of `shared.contracts.errors.ERRORS`."""

    def __init__(self, code: str, detail: str = "") -> None:
        sentence = ERRORS[code].sentence
        self.code = code
        self.message = f"{sentence} ({detail})" if detail else sentence
        super().__init__(f"{code}: {self.message}")

    def __reduce__(self) -> tuple[type["BadMedia"], tuple[str, str]]:
        """Crosses the sandbox's process boundary with its code."""
        return _Restored, (self.code, self.message)


class _Restored(BadMedia):
    def __init__(self, code: str, message: str) -> None:
        Exception.__init__(self, f"{code}: {message}")
        self.code, self.message = code, message


class InvalidRecord(Exception):
    """A record that this service cannot process; `reason` is a short stable code for metrics."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


class Transient(Exception):
    """A dependency is away (broker, object store); trying again later can help."""
