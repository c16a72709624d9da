"""JSON Schemas (draft 2020-12) of all bodies, by file name in `docs/schemas/`."""

from typing import Any

from shared.contracts.base import Body, Event
from shared.contracts.embeddings import EmbeddingMeta
from shared.contracts.job_view import JobView
from shared.contracts.topics import TOPICS

Document = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
EMBEDDING_SCHEMA = "embedding.v1.json"


def schema_name(message: type[Event]) -> str:
    """`io.veracity.job.planned.v1` -> `job.planned.v1.json`."""
    return f"{message.TYPE.removeprefix('io.veracity.')}.json"


def schemas() -> dict[str, Document]:
    """One for each message of `TOPICS`, one for the embeddings' metadata, one for what the API gives."""
    events = [m for topic in TOPICS for m in topic.messages if issubclass(m, Event)]
    made = {schema_name(event): _schema(event, "validation") for event in events}
    made[EMBEDDING_SCHEMA] = _schema(EmbeddingMeta, "validation")
    made["job-view.v1.json"] = _schema(JobView, "serialization")
    return made


def _schema(model: type[Body], mode: Any) -> Document:
    schema = model.model_json_schema(mode=mode)
    for name, field in model.model_fields.items():
        if field.exclude:  # never written
            schema["properties"].pop(name, None)
    return {"$schema": DRAFT, **schema}
