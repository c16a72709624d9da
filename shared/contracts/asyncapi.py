"""The AsyncAPI 3 document, made from the one table of topics."""

from shared.contracts.base import Event
from shared.contracts.codec import JSON, SAFETENSORS
from shared.contracts.embeddings import Embedding
from shared.contracts.schemas import EMBEDDING_SCHEMA, Document, schema_name
from shared.contracts.topics import DEAD_LETTERS, INBOX, TOPICS, Topic

_ANY = {"type": "string", "description": "original bytes, whatever they are"}


def asyncapi(version: str) -> Document:
    """Channels, messages, and who sends and receives them. `version` is the contracts' own."""
    messages = {name: message for topic in TOPICS for name, message in _messages(topic).items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Veracity", "version": version, "license": {"name": "Apache-2.0"},
            "description": "Everything that travels on Kafka. CloudEvents 1.0 in binary mode, with a W3C "
            "`traceparent`. Unknown fields are ignored, unknown major versions are refused.",
        },
        "defaultContentType": JSON,
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {name: op for topic in TOPICS for name, op in _operations(topic).items()},
        "components": {"messages": messages},
    }


def _names(topic: Topic) -> list[str]:
    """The messages' names within the document."""
    if topic in (INBOX, DEAD_LETTERS):
        return [topic.name.removesuffix("-v1")]
    return [m.TYPE if issubclass(m, Event) else _embedding_type(topic) for m in topic.messages]


def _embedding_type(topic: Topic) -> str:
    return Embedding.TYPES["audio" if topic.name.startswith("audio") else "video"]


def _channel(topic: Topic) -> Document:
    return {
        "address": topic.name,
        "title": topic.meaning,
        "description": f"Key: {topic.key}. Written by {topic.writer}, read by {', '.join(topic.readers)}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _names(topic)},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": topic.cleanup.split(","),
                    "retention.ms": topic.retention_ms,
                    "max.message.bytes": topic.max_message_bytes,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operations(topic: Topic) -> Document:
    channel = {"$ref": f"#/channels/{topic.name}"}
    messages = [{"$ref": f"#/channels/{topic.name}/messages/{name}"} for name in _names(topic)]
    sides = [("send", topic.writer), *(("receive", reader) for reader in topic.readers)]
    return {
        f"{service.replace(' ', '-')}-{action}-{topic.name}": {
            "action": action, "channel": channel, "messages": messages, "title": f"{service} {action}s",
        }
        for action, service in sides
    }


def _messages(topic: Topic) -> Document:
    if topic is INBOX:
        return {name: _message(name, JSON, {"type": "object"}, topic) for name in _names(topic)}
    if topic is DEAD_LETTERS:
        return {name: _message(name, "application/octet-stream", _ANY, topic) for name in _names(topic)}
    made = {}
    for message in topic.messages:
        if issubclass(message, Event):
            payload = {"$ref": f"./schemas/{schema_name(message)}"}
            made[message.TYPE] = _event(message.TYPE, JSON, payload, topic, message.__doc__)
        else:
            name = _embedding_type(topic)
            payload = {
                "type": "string", "format": "binary",
                "description": f"safetensors; its `veracity` metadata is as in schemas/{EMBEDDING_SCHEMA}",
            }
            made[name] = _event(name, SAFETENSORS, payload, topic, message.__doc__)
    return made


def _event(name: str, content_type: str, payload: Document, topic: Topic, meaning: str | None) -> Document:
    text = {"type": "string"}
    constant = {"ce_specversion": "1.0", "ce_type": name}
    headers = {
        "type": "object",
        "required": ["ce_id", "ce_source", "ce_specversion", "ce_type"],
        "properties": {
            "ce_id": text, "ce_source": text, "ce_subject": text, "content-type": {"const": content_type},
            "traceparent": text, **{key: {"const": value} for key, value in constant.items()},
        },
    }
    described = {"headers": headers, "summary": " ".join((meaning or "").split())}
    return {**_message(name, content_type, payload, topic), **described}


def _message(name: str, content_type: str, payload: Document, topic: Topic) -> Document:
    key = {"type": "string", "description": topic.key}
    return {
        "name": name,
        "contentType": content_type,
        "payload": payload,
        "bindings": {"kafka": {"key": key, "bindingVersion": "0.5.0"}},
    }
