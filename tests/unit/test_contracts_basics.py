"""Identifiers, outcomes, records and topics."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.errors import ERRORS
from shared.contracts.ids import derive, job_id
from shared.contracts.outcomes import BadMedia, InvalidRecord
from shared.contracts.records import Record
from shared.contracts.topics import AUDIO_EMBEDDINGS, TOPICS, VIDEO_EMBEDDINGS, embeddings_topic


@given(st.lists(st.text(alphabet="a1:/é", max_size=3), max_size=3), st.lists(st.text("a1:/é", max_size=3)))
def test_an_id_stands_for_its_parts_in_order(left: list[str], right: list[str]) -> None:
    assert (derive("x", *left) == derive("x", *right)) == (left == right)


def test_the_same_key_of_the_same_source_is_the_same_job() -> None:
    assert job_id("http", "k1") == job_id("http", "k1")
    assert job_id("http", "k1") != job_id("event", "k1")
    assert job_id("http", None) != job_id("http", None)


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_every_code_has_a_sentence_and_crosses_processes(code: str) -> None:
    assert ERRORS[code].sentence.endswith(".")
    sent = BadMedia(code, "frame 3")
    received = pickle.loads(pickle.dumps(sent))  # noqa: S301 our own bytes
    assert (received.code, received.message) == (sent.code, sent.message)
    assert received.message.startswith(ERRORS[code].sentence)


def test_an_invalid_record_says_its_reason() -> None:
    assert str(InvalidRecord("malformed", "no key")) == "malformed: no key"
    assert str(InvalidRecord("malformed")) == "malformed"


def test_the_last_header_of_a_name_counts() -> None:
    record = Record("t", 0, 0, None, None, (("a", b"1"), ("a", b"\xff2"), ("a", None), ("b", None)))
    assert record.header("a") == "\ufffd2"
    assert record.header("b") is None


def test_names_have_no_dots_and_a_version() -> None:
    for topic in TOPICS:
        assert "." not in topic.name
        assert topic.name.endswith("-v1")
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)


def test_what_is_joined_has_as_many_partitions() -> None:
    assert AUDIO_EMBEDDINGS.partitions == VIDEO_EMBEDDINGS.partitions
    assert (embeddings_topic("audio"), embeddings_topic("video")) == (AUDIO_EMBEDDINGS, VIDEO_EMBEDDINGS)
