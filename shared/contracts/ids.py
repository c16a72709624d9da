"""Deterministic identifiers: the same inputs always give the same id, so a retry is recognised."""

from uuid import NAMESPACE_URL, uuid4, uuid5

_NAMESPACE = uuid5(NAMESPACE_URL, "urn:veracity")


def derive(*parts: object) -> str:
    """A uuid5 of the parts in order. `derive("a", 1) != derive("a1")`."""
    return str(uuid5(_NAMESPACE, "\x1f".join(str(part) for part in parts)))


def job_id(source: str, idempotency_key: str | None) -> str:
    """The job's id: derived where the submitter gave a key, random where it gave none."""
    return derive("job", source, idempotency_key) if idempotency_key else str(uuid4())
