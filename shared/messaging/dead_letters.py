"""Dead letters: the original record, whole, followed by `dl_*` headers that say what happened.

Headers: dl_topic, dl_partition, dl_offset, dl_service, dl_reason, dl_error, dl_detail, dl_attempts,
dl_traceparent. They come last and start with dl_topic, so whatever stands before that is original.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.contracts.codec import TRACEPARENT
from shared.contracts.outcomes import InvalidRecord
from shared.contracts.records import Outgoing, Record
from shared.contracts.topics import DEAD_LETTERS
from shared.messaging.reader import LogReader
from shared.messaging.settings import KafkaSettings
from shared.observability.logs import hide_secrets

_FIRST = "dl_topic"
_MAX_DETAIL = 2_000  # characters


@dataclass(frozen=True)
class DeadLetter:
    """What a dead letter says. `letter` is the record on `dead-letters-v1` itself."""

    letter: Record
    topic: str
    partition: int
    offset: int
    service: str
    reason: str
    error: str
    detail: str
    attempts: int
    traceparent: str

    @property
    def place(self) -> str:
        """Names the dead letter in commands: "partition:offset" on `dead-letters-v1`."""
        return f"{self.letter.partition}:{self.letter.offset}"


def to_dead_letter(
    record: Record, service: str, reason: str, detail: str, attempts: int,
    *, error: str = "", traceparent: str | None = None,
) -> Outgoing:
    """The record to publish. `reason`: a short stable code; `error`: an exception class;
    `detail`: a sentence, cut at 2 000 characters and without secrets."""
    facts = {
        _FIRST: record.topic, "dl_partition": record.partition, "dl_offset": record.offset,
        "dl_service": service, "dl_reason": reason, "dl_error": error,
        "dl_detail": hide_secrets(detail)[:_MAX_DETAIL], "dl_attempts": attempts,
        "dl_traceparent": traceparent or record.header(TRACEPARENT) or "",
    }
    added = tuple((name, str(value).encode()) for name, value in facts.items())
    return Outgoing(DEAD_LETTERS.name, record.key, record.value, (*record.headers, *added))


def read_letter(letter: Record) -> DeadLetter:
    """Raises `InvalidRecord("not_a_dead_letter")`."""
    def text(name: str) -> str:
        return letter.header(f"dl_{name}") or ""

    try:
        return DeadLetter(
            letter, text("topic"), int(text("partition")), int(text("offset")), text("service"),
            text("reason"), text("error"), text("detail"), int(text("attempts")), text("traceparent"),
        )
    except ValueError as error:
        raise InvalidRecord("not_a_dead_letter", str(error)) from error


def restore(letter: Record) -> Outgoing:
    """The original record: same topic, partition, key, bytes and headers.

    Raises `InvalidRecord("not_a_dead_letter")`.
    """
    facts = read_letter(letter)
    start = max(index for index, (name, _) in enumerate(letter.headers) if name == _FIRST)
    return Outgoing(facts.topic, letter.key, letter.value, letter.headers[:start], facts.partition)


def dead_letters(settings: KafkaSettings, timeout_s: float = 10.0) -> Iterator[DeadLetter]:
    """All dead letters there are now, oldest first in each partition; others' records are skipped.

    Raises `Transient` if the broker stays away for `timeout_s`.
    """
    with LogReader(settings, [DEAD_LETTERS.name], {}, timeout_s=timeout_s) as reader:
        for record in reader.read_to_end(timeout_s):
            try:
                yield read_letter(record)
            except InvalidRecord:
                continue
