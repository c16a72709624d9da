"""What travels on Kafka: every message has an example, and no bytes can hurt a reader."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.base import Event
from shared.contracts.codec import Message, decode, encode
from shared.contracts.embeddings import Embedding
from shared.contracts.examples import DEAD_LETTER, EXAMPLES, JOB, TRACE, VIDEO
from shared.contracts.outcomes import InvalidRecord
from shared.contracts.records import Outgoing, Record
from shared.contracts.topics import TOPICS
from shared.messaging.dead_letters import restore, to_dead_letter

NAMES = sorted(EXAMPLES)


def received(out: Outgoing) -> Record:
    return Record(out.topic, 0, 0, out.key, out.value, out.headers)


def same(left: Message, right: Message) -> bool:
    """Equality, with the tensors' dtypes, shapes and bits."""
    if not isinstance(left, Embedding) or not isinstance(right, Embedding):
        return left == right
    bits = [
        {name: (t.dtype.str, t.shape, t.tobytes()) for name, t in one.tensors.items()}
        for one in (left, right)
    ]
    return replace(left, tensors={}) == replace(right, tensors={}) and bits[0] == bits[1]


def with_type(record: Record, ce_type: str) -> Record:
    headers = {**dict(record.headers), "ce_type": ce_type.encode()}
    return replace(record, headers=tuple(headers.items()))


def test_every_message_of_every_topic_has_an_example() -> None:
    shown = {encode(m).topic + ":" + type(m).__name__ for m in EXAMPLES.values()}
    assert shown == {f"{topic.name}:{m.__name__}" for topic in TOPICS for m in topic.messages}


@pytest.mark.parametrize("name", NAMES)
def test_an_example_decodes_to_the_same_message(name: str) -> None:
    assert same(decode(received(encode(EXAMPLES[name], traceparent=TRACE))), EXAMPLES[name])


@pytest.mark.parametrize("name", NAMES)
def test_equal_messages_have_equal_bytes(name: str) -> None:
    message = EXAMPLES[name]
    copy = replace(message) if isinstance(message, Embedding) else type(message)(**dict(message))
    assert encode(message) == encode(copy) == encode(decode(received(encode(message))))


@pytest.mark.parametrize("name", NAMES)
def test_every_record_is_a_cloudevent_with_a_trace(name: str) -> None:
    headers = dict(encode(EXAMPLES[name], traceparent=TRACE).headers)
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_id"]
    assert (headers["ce_source"] or b"").startswith(b"/veracity/")
    assert headers["traceparent"] == TRACE.encode()


def test_a_segment_has_its_own_key_and_all_else_goes_by_job() -> None:
    keys = {name: encode(message).key for name, message in EXAMPLES.items()}
    assert keys.pop("segment-planned") == f"{JOB}:1".encode()
    assert keys.pop("media-submitted") == b"cms-2026-000117"
    assert set(keys.values()) == {JOB.encode()}


@pytest.mark.parametrize("name", [n for n in NAMES if isinstance(EXAMPLES[n], Event)])
def test_unknown_fields_are_ignored(name: str) -> None:
    record = received(encode(EXAMPLES[name]))
    newer = {**json.loads(record.value or b""), "added_later": {"x": 1}}
    assert decode(replace(record, value=json.dumps(newer).encode())) == EXAMPLES[name]


@pytest.mark.parametrize("name", [n for n in NAMES if isinstance(EXAMPLES[n], Event)])
def test_the_structured_mode_is_understood(name: str) -> None:
    record = received(encode(EXAMPLES[name]))
    attributes = {k[3:]: (v or b"").decode() for k, v in record.headers if k.startswith("ce_")}
    event = {**attributes, "datacontenttype": "application/json", "data": json.loads(record.value or b"")}
    headers = (("content-type", b"application/cloudevents+json"),)
    assert decode(replace(record, headers=headers, value=json.dumps(event).encode())) == EXAMPLES[name]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("version", ["0", "2", "17"])
def test_an_unknown_major_version_is_refused_by_name(name: str, version: str) -> None:
    record = received(encode(EXAMPLES[name]))
    newer = (record.header("ce_type") or "").rpartition(".v")[0] + f".v{version}"
    with pytest.raises(InvalidRecord) as refused:
        decode(with_type(record, newer))
    assert refused.value.reason == "unknown_version"
    assert newer in refused.value.detail


@pytest.mark.parametrize("ce_type", ["", "com.example.other.v1", "io.veracity.job.planned.vX"])
def test_a_foreign_type_is_refused_by_name(ce_type: str) -> None:
    with pytest.raises(InvalidRecord) as refused:
        decode(with_type(received(encode(EXAMPLES["job-planned"])), ce_type))
    assert refused.value.reason in {"unknown_type", "not_cloudevent"}


@pytest.mark.parametrize(
    "value", [None, b"", b"{", b"[]", b"null", b'{"job_id": 3}', b"\xff", b"[" * 100_000]
)
@pytest.mark.parametrize("name", NAMES)
def test_a_body_that_is_none_is_refused(name: str, value: bytes | None) -> None:
    with pytest.raises(InvalidRecord):
        decode(replace(received(encode(EXAMPLES[name])), value=value))


def test_a_plain_record_is_refused() -> None:
    with pytest.raises(InvalidRecord, match="not_cloudevent"):
        decode(Record("jobs-v1", 0, 0, None, b"hello"))


def test_keys_and_foreign_headers_may_hold_any_bytes() -> None:
    record = received(encode(EXAMPLES["media-submitted"]))
    foreign = (("x-signature", b"\xff"), ("empty", None))
    odd = replace(record, key=b"\xff\xfe", headers=(*record.headers, *foreign))
    assert decode(odd) == EXAMPLES["media-submitted"]


def test_an_embedding_under_the_other_type_is_refused() -> None:
    with pytest.raises(InvalidRecord, match="carries video"):
        decode(with_type(received(encode(VIDEO)), Embedding.TYPES["audio"]))


def test_an_embedding_without_its_tensors_is_refused() -> None:
    with pytest.raises(InvalidRecord, match="lacks embedding, transforms"):
        Embedding.from_bytes(replace(VIDEO, tensors={"other": np.zeros(1)}).to_bytes())


@pytest.mark.parametrize(
    "change",
    [{"status": "maybe"}, {"modality": "smell"}, {"window_index": -1}, {"window_index": 1e400},
     {"speech": "loud"}, {"job_id": None}],
)
def test_odd_metadata_are_refused(change: dict[str, Any]) -> None:
    odd = replace(EXAMPLES["embedding-audio-absent"], **change)
    assert isinstance(odd, Embedding)
    with pytest.raises(InvalidRecord):
        Embedding.from_bytes(odd.to_bytes())


@st.composite
def mutated(draw: st.DrawFn) -> Record:
    """An example's record with bytes changed, cut, or put in, in the value or a header."""
    record = received(encode(EXAMPLES[draw(st.sampled_from(NAMES))], traceparent=TRACE))

    def damage(data: bytes) -> bytes:
        start = draw(st.integers(0, min(len(data), 600)))
        end = draw(st.integers(start, min(len(data), start + 50)))
        return data[:start] + draw(st.binary(max_size=12)) + data[end:]

    if draw(st.booleans()):
        return replace(record, value=damage(record.value or b""))
    changed = draw(st.integers(0, len(record.headers) - 1))
    headers = tuple(
        (name, damage(value or b"") if i == changed else value)
        for i, (name, value) in enumerate(record.headers)
    )
    return replace(record, headers=headers)


@given(mutated())
def test_damaged_bytes_are_a_message_or_an_invalid_record(record: Record) -> None:
    try:
        message = decode(record)
    except InvalidRecord as invalid:
        assert invalid.reason in {"not_cloudevent", "unknown_type", "unknown_version", "malformed"}
    else:
        assert isinstance(message, Event | Embedding)


@given(st.binary(max_size=300), st.sampled_from([*Embedding.TYPES.values(), "io.veracity.job.planned.v1"]))
def test_random_bytes_are_refused(value: bytes, ce_type: str) -> None:
    record = with_type(received(encode(EXAMPLES["job-planned"])), ce_type)
    with pytest.raises(InvalidRecord):
        decode(replace(record, value=value))


def test_the_dead_letter_example_is_what_a_service_writes() -> None:
    original = restore(DEAD_LETTER)
    record = Record(original.topic, 7, 4711, original.key, original.value, original.headers)
    with pytest.raises(InvalidRecord) as invalid:
        decode(record)
    letter = to_dead_letter(
        record, "video_worker", invalid.value.reason, invalid.value.detail, 1,
        error="InvalidRecord", traceparent=TRACE,
    )
    assert received(letter) == replace(DEAD_LETTER, partition=0, offset=0)
