"""What can go wrong has a name, and the name decides what happens next.

`BadMedia` is a result of the job and is never retried. `InvalidRecord` is dead-lettered with its
reason. `Transient` is retried with back-off until the job's deadline.
"""

from shared.contracts.errors import ERRORS


class BadMedia(Exception):
    """The media themselves are the problem; `code` is one of `shared.contracts.errors.ERRORS`."""

    def __init__(self, code: str, detail: str = "") -> None:
        sentence = ERRORS[code].sentence
        self.code, self.detail = code, detail
        self.message = f"{sentence} ({detail})" if detail else sentence
        super().__init__(f"{code}: {self.message}")

    def __reduce__(self) -> tuple[type["BadMedia"], tuple[str, str]]:
        """Crosses process boundaries whole."""
        return BadMedia, (self.code, self.detail)


class InvalidRecord(Exception):
    """A record that this service cannot process; `reason` is a short stable code for metrics."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


class Transient(Exception):
    """A dependency is away (broker, object store); trying again later can help."""
