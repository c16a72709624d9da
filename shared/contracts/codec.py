"""Messages to Kafka records and back: CloudEvents 1.0, binary mode (structured accepted on the way in).

    outgoing = encode(Planned(...), traceparent=current)
    message = decode(record)          # raises InvalidRecord with a reason
"""

from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event
from pydantic import ValidationError

from shared.contracts.base import Event
from shared.contracts.embeddings import Embedding
from shared.contracts.jobs import SegmentPlanned
from shared.contracts.outcomes import InvalidRecord
from shared.contracts.records import Outgoing, Record
from shared.contracts.topics import TOPICS, Topic, embeddings_topic

Message = Event | Embedding
JSON = "application/json"
SAFETENSORS = "application/vnd.safetensors"
TRACEPARENT = "traceparent"

_EVENTS: dict[str, type[Event]] = {
    m.TYPE: m for t in TOPICS for m in t.messages if issubclass(m, Event)
}
_TOPIC_OF: dict[str, Topic] = {
    m.TYPE: t for t in TOPICS for m in t.messages if issubclass(m, Event)
}
_STEMS = {name.rpartition(".v")[0] for name in (*_EVENTS, *Embedding.TYPES.values())}


def encode(message: Message, *, traceparent: str | None = None) -> Outgoing:
    """The record for `message`, on its topic, under its key. Equal messages give equal bytes.

    There is no `ce_time`: the log has its own, and a repeat would differ from the first."""
    if isinstance(message, Embedding):
        ce_type, topic = Embedding.TYPES[message.modality], embeddings_topic(message.modality)
        value, content_type = message.to_bytes(), SAFETENSORS
    else:
        ce_type, topic = message.TYPE, _TOPIC_OF[message.TYPE]
        value, content_type = message.model_dump_json().encode(), JSON
    key = _key(message)
    headers = {
        "ce_id": message.ce_id(), "ce_source": f"/veracity/{topic.writer}", "ce_specversion": "1.0",
        "ce_subject": key, "ce_type": ce_type, "content-type": content_type,
    }
    if traceparent:
        headers[TRACEPARENT] = traceparent
    return Outgoing(topic.name, key.encode(), value, tuple((k, v.encode()) for k, v in headers.items()))


def decode(record: Record) -> Message:
    """The message in `record`. Reasons: `not_cloudevent`, `unknown_type`, `unknown_version`, `malformed`."""
    headers = {k: v for k, v in record.headers if v is not None}
    ce_type = headers.get("ce_type", b"").decode("utf-8", "replace")
    if ce_type in Embedding.TYPES.values():
        return _matching_type(Embedding.from_bytes(record.value or b""), ce_type)
    try:
        event = from_kafka_event(KafkaMessage(_cloudevent_headers(headers), None, record.value or b""))
    except Exception as error:  # the SDK raises many kinds, all meaning the same
        raise InvalidRecord("not_cloudevent", str(error)[:300]) from error
    event_class = _event_class(str(event.get_type()))
    data = event.get_data()
    try:
        if isinstance(data, bytes | str):
            return event_class.model_validate_json(data)
        return event_class.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidRecord("malformed", f"{event_class.TYPE} {place}: {first['msg']}") from error


def _cloudevent_headers(headers: dict[str, bytes]) -> dict[str, bytes]:
    """Only those of the binding: any other may hold any bytes, and so may the key."""
    return {k: v for k, v in headers.items() if k.lower() == "content-type" or k.lower().startswith("ce_")}


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
    if stem in _STEMS and version.isdecimal():
        raise InvalidRecord("unknown_version", f"{ce_type[:200]} is no version that this service reads")
    raise InvalidRecord("unknown_type", ce_type[:200])
