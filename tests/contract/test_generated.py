"""The generated documents are current, complete and true."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.contracts.codec import decode, encode
from shared.contracts.embeddings import Embedding
from shared.contracts.errors import ERRORS
from shared.contracts.examples import EXAMPLES, TRACE
from shared.contracts.generate import DOCS, main, stale, write
from shared.contracts.job_view import JobView
from shared.contracts.jobs import Rejected
from shared.contracts.records import Record
from shared.contracts.results import Explained, Verdict
from shared.contracts.schemas import schemas
from shared.contracts.topics import TOPICS

ASYNCAPI: dict[str, Any] = json.loads((DOCS / "asyncapi.json").read_bytes())


def read_example(name: str) -> Record:
    about = json.loads((DOCS / f"examples/{name}.json").read_bytes())
    if "value_file" in about:
        value = (DOCS / "examples" / about["value_file"]).read_bytes()
    else:
        value = json.dumps(about["value"]).encode()
    headers = tuple((key, text.encode()) for key, text in about["headers"].items())
    return Record(about["topic"], 0, 0, about["key"].encode(), value, headers)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(ref := node.get("$ref"), str):
            yield ref
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def test_generated_files_are_current() -> None:
    assert stale() == []


def test_what_is_not_current_is_named_and_written_anew(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "asyncapi.json").write_text("{}")
    (tmp_path / "schemas/job.planned.v1.json").unlink()
    (tmp_path / "examples/old.json").write_text("{}")
    assert stale(tmp_path) == ["asyncapi.json", "examples/old.json", "schemas/job.planned.v1.json"]
    write(tmp_path)
    assert stale(tmp_path) == []


def test_the_command_checks_and_refuses_what_it_does_not_know() -> None:
    assert (main(["--check"]), main(["--chekc"])) == (0, 2)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_file_decodes(name: str) -> None:
    record = read_example(name)
    written = encode(EXAMPLES[name], traceparent=TRACE)
    assert (record.topic, record.key) == (written.topic, written.key)
    assert dict(record.headers) == dict(written.headers)
    assert encode(decode(record), traceparent=TRACE) == written


@pytest.mark.parametrize("name", sorted(n for n, m in EXAMPLES.items() if not isinstance(m, Embedding)))
def test_an_example_fits_its_schema(name: str) -> None:
    about = json.loads((DOCS / f"examples/{name}.json").read_bytes())
    schema = schemas()[about["headers"]["ce_type"].removeprefix("io.veracity.") + ".json"]
    jsonschema.validate(about["value"], schema, format_checker=jsonschema.FormatChecker())


def test_the_job_view_example_fits_its_schema_and_its_model() -> None:
    view = json.loads((DOCS / "examples/job-view.json").read_bytes())
    jsonschema.validate(view, schemas()["job-view.v1.json"])
    assert JobView.model_validate(view).model_dump(mode="json") == view


def test_every_schema_is_a_schema() -> None:
    for schema in schemas().values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_the_asyncapi_document_knows_every_topic_with_its_configuration() -> None:
    assert ASYNCAPI["asyncapi"] == "3.0.0"
    assert list(ASYNCAPI["channels"]) == [topic.name for topic in TOPICS]
    for topic in TOPICS:
        kafka = ASYNCAPI["channels"][topic.name]["bindings"]["kafka"]
        assert kafka["partitions"] == topic.partitions
        assert ",".join(kafka["topicConfiguration"]["cleanup.policy"]) == topic.cleanup


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    found = list(references(ASYNCAPI))
    for reference in found:
        place, _, pointer = reference.partition("#")
        if place:
            assert (DOCS / place).is_file()
            continue
        node: Any = ASYNCAPI
        for part in pointer.strip("/").split("/"):
            node = node[part]
    assert {f"./schemas/{name}" for name in schemas()} - set(found) == {
        "./schemas/embedding.v1.json", "./schemas/job-view.v1.json",  # named in words, and by the HTTP API
    }


def test_each_topic_has_one_writer_and_a_reader() -> None:
    operations = ASYNCAPI["operations"].values()
    for topic in TOPICS:
        actions = [o["action"] for o in operations if o["channel"]["$ref"] == f"#/channels/{topic.name}"]
        assert actions.count("send") == 1
        assert actions.count("receive") >= 1


def test_every_code_in_the_examples_is_in_the_list() -> None:
    errors = [m.error for m in EXAMPLES.values() if isinstance(m, Rejected | Verdict | Explained) and m.error]
    assert errors
    assert all(ERRORS[error.code].sentence == error.message for error in errors)
    assert {m.reason for m in EXAMPLES.values() if isinstance(m, Embedding) and m.reason} <= set(ERRORS)
