"""Messages to Kafka records and back: CloudEvents 1.0, binary mode (structured accepted on the way in).

    outgoing = encode(Planned(...), traceparent=current)
    message = decode(record)          # raises InvalidRecord with a reason
"""

import json
from typing import Any

from cloudevents.core.bindings.kafka import (
    KafkaMessage,
    from_kafka_event,
    to_binary_event,
)
from cloudevents.core.v1.event import CloudEvent
from pydantic import ValidationError

from shared.contracts.base import Event
from shared.contracts.embeddings import Embedding
from shared.contracts.jobs import SegmentPlanned
from shared.contracts.outcomes import InvalidRecord
from shared.contracts.records import Outgoing, Record
from shared.contracts.topics import TOPICS, embeddings_topic

Message = Event | Embedding
SAFETENSORS = "application/vnd.safetensors"
TRACEPARENT = "traceparent"

_EVENTS: dict[str, type[Event]] = {
    m.TYPE: m for t in TOPICS for m in t.messages if issubclass(m, Event)
}
_TOPIC_OF: dict[str, str] = {
    m.TYPE: t.name for t in TOPICS for m in t.messages if issubclass(m, Event)
}


def encode(message: Message, *, traceparent: str | None = None) -> Outgoing:
    """The record for `message`, on its topic, under its key."""
    if isinstance(message, Embedding):
        ce_type, topic = Embedding.TYPES[message.modality], embeddings_topic(message.modality).name
        data: Any = message.to_bytes()
        content_type = SAFETENSORS
    else:
        ce_type, topic = message.TYPE, _TOPIC_OF[message.TYPE]
        data, content_type = message.model_dump(mode="json"), "application/json"
    key = _key(message)
    writer = next(t.writer for t in TOPICS if t.name == topic)
    attributes = {
        "specversion": "1.0", "id": message.ce_id(), "type": ce_type,
        "source": f"/veracity/{writer}".replace(" ", "-"), "subject": key, "datacontenttype": content_type,
    }
    record = to_binary_event(CloudEvent(attributes, data))
    headers = [*sorted(record.headers.items())]
    if traceparent:
        headers.append((TRACEPARENT, traceparent.encode()))
    value = data if isinstance(data, bytes) else json.dumps(data, separators=(",", ":")).encode()
    return Outgoing(topic, key.encode(), value, tuple(headers))


def decode(record: Record) -> Message:
    """The message in `record`. Reasons: `not_cloudevent`, `unknown_type`, `unknown_version`, `malformed`."""
    headers = {k: v for k, v in record.headers if v is not None}
    ce_type = headers.get("ce_type", b"").decode("utf-8", "replace")
    if ce_type in Embedding.TYPES.values():
        return _matching_type(Embedding.from_bytes(record.value or b""), ce_type)
    try:
        event = from_kafka_event(KafkaMessage(headers, record.key, record.value or b""))
    except Exception as error:  # the SDK raises many kinds, all meaning the same
        raise InvalidRecord("not_cloudevent", str(error)[:300]) from error
    event_class = _event_class(event.get_type())
    data = event.get_data()
    try:
        if isinstance(data, bytes | str):
            return event_class.model_validate_json(data)
        return event_class.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidRecord("malformed", f"{event_class.TYPE} {place}: {first['msg']}") from error


def _key(message: Message) -> str:
    if isinstance(message, SegmentPlanned):
        return f"{message.job_id}:{message.segment}"
    return message.job_id or message.ce_id()


def _matching_type(embedding: Embedding, ce_type: str) -> Embedding:
    if Embedding.TYPES[embedding.modality] != ce_type:
        raise InvalidRecord("malformed", f"{ce_type} carries {embedding.modality}")
    return embedding


def _event_class(ce_type: str) -> type[Event]:
    if ce_type in _EVENTS:
        return _EVENTS[ce_type]
    stem, _, version = ce_type.rpartition(".v")
    if version.isdigit() and any(known.rpartition(".v")[0] == stem for known in _EVENTS):
        raise InvalidRecord("unknown_version", f"{ce_type} is newer than this service")
    raise InvalidRecord("unknown_type", ce_type[:200])
