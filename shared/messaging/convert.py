"""librdkafka's messages to our records, and its errors to our outcomes."""

from typing import Any

from confluent_kafka import KafkaError
from confluent_kafka import Message as KafkaMessage

from shared.contracts.outcomes import Transient
from shared.contracts.records import Headers, Record

# Trying again cannot help: the record itself is refused.
_REFUSED = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD, KafkaError.INVALID_MSG}


class Refused(Exception):
    """Kafka will not take this record, now or later; e.g. it is larger than its topic allows."""


def to_record(message: KafkaMessage) -> Record:
    """A consumed message, without an error, as a record."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    if topic is None or partition is None or offset is None:
        raise ValueError("a message without a place")
    kind, timestamp = message.timestamp()
    return Record(
        topic, partition, offset, _as_bytes(message.key()), _as_bytes(message.value()),
        _headers(message), timestamp if kind else None,
    )


def outcome_of(error: KafkaError) -> Exception:
    """Why a record was not delivered: `Refused` for good, `Transient` for now."""
    text = f"{error.name()}: {error.str()}"
    return Refused(text) if error.code() in _REFUSED else Transient(text)


def _as_bytes(data: Any) -> bytes | None:
    return None if data is None else bytes(data)


def _headers(message: KafkaMessage) -> Headers:
    try:
        headers: Any = message.headers() or ()
    except UnicodeDecodeError:  # a header's name: such a record is no event of ours
        return (("undecodable_headers", None),)
    return tuple((str(name), value) for name, value in headers)
