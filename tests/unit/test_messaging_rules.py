"""Limits, back-off, settings, log noise and dead letters: the small rules of messaging."""

import logging
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.outcomes import InvalidRecord
from shared.contracts.records import Headers, Record
from shared.messaging.dead_letters import read_letter, restore, to_dead_letter
from shared.messaging.limits import DeadLetterRatio
from shared.messaging.loop_settings import LoopSettings
from shared.messaging.quiet import Quiet
from shared.messaging.settings import KafkaSettings

LIMIT = LoopSettings(dead_letter_ratio=0.5, dead_letter_window=100, dead_letter_minimum=20)
HEADERS = st.lists(st.tuples(st.text(max_size=8), st.none() | st.binary(max_size=8)), max_size=5).map(tuple)


def test_few_dead_letters_do_not_stop_even_if_nothing_else_came() -> None:
    ratio = DeadLetterRatio(LIMIT)
    assert [ratio.note(True) for _ in range(19)] == [None] * 19
    assert ratio.note(True) is not None


def test_a_half_of_dead_letters_is_within_the_limit() -> None:
    ratio = DeadLetterRatio(LIMIT)
    assert not any(ratio.note(number % 2 == 1) for number in range(400))


def test_old_records_are_forgotten() -> None:
    ratio = DeadLetterRatio(LIMIT)
    assert not any(ratio.note(False) for _ in range(1_000))
    outcomes = [ratio.note(True) for _ in range(60)]
    assert [outcome is not None for outcome in outcomes].index(True) == 50


@given(st.integers(1, 200))
def test_back_off_grows_to_its_maximum_with_jitter(attempt: int) -> None:
    settings = LoopSettings(retry_base_s=1, retry_max_s=30)
    full = min(30, 2 ** (attempt - 1))
    assert full / 2 <= settings.delay_s(attempt) <= full


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "one:1,two:2")
    monkeypatch.setenv("KAFKA_SASL_PASSWORD", "hunter2")
    monkeypatch.setenv("KAFKA_OVERRIDES", '{"linger.ms": 50}')
    settings = KafkaSettings()
    config = settings.producer_config("me")
    assert config["bootstrap.servers"] == "one:1,two:2"
    assert config["sasl.password"] == "hunter2"  # noqa: S105 the librdkafka property wants it plain
    assert config["linger.ms"] == 50
    assert "hunter2" not in repr(settings)


def test_keys_are_placed_as_java_places_them_and_offsets_are_ours_to_store() -> None:
    settings = KafkaSettings()
    assert settings.producer_config("me")["partitioner"] == "murmur2_random"
    consumer = settings.consumer_config("group")
    assert consumer["enable.auto.offset.store"] is False
    assert consumer["enable.auto.commit"] is False
    assert consumer["auto.offset.reset"] == "earliest"


def test_a_classic_group_notices_kills_itself() -> None:
    classic = KafkaSettings(group_protocol="classic").consumer_config("group")
    assert classic["session.timeout.ms"] <= 10_000
    assert "session.timeout.ms" not in KafkaSettings().consumer_config("group")


def test_repeated_lines_pass_once_a_while() -> None:
    now = [0.0]
    quiet = Quiet(every_s=30, clock=lambda: now[0])

    def passes(text: str) -> bool:
        return quiet.filter(logging.LogRecord("x", logging.ERROR, "", 0, text, (), None))

    assert passes("broker 1: refused after 12 ms")
    assert not passes("broker 1: refused after 13 ms")
    assert passes("something else")
    now[0] = 31
    assert passes("broker 1: refused after 14 ms")


@given(st.none() | st.binary(max_size=8), st.none() | st.binary(max_size=8), HEADERS, st.text(max_size=3_000))
def test_replay_restores_key_value_and_headers(
    key: bytes | None, value: bytes | None, headers: Headers, detail: str
) -> None:
    record = Record("in", 7, 42, key, value, headers)
    out = to_dead_letter(record, "svc", "malformed", detail, 3, error="ValueError")
    letter = Record(out.topic, 0, 0, out.key, out.value, out.headers)
    back = restore(letter)
    assert (back.topic, back.partition) == ("in", 7)
    assert (back.key, back.value, back.headers) == (key, value, headers)
    facts = read_letter(letter)
    assert (facts.offset, facts.service, facts.reason, facts.attempts) == (42, "svc", "malformed", 3)
    assert len(facts.detail) <= 2_000


def test_a_dead_letter_of_a_dead_letter_restores_the_inner_one() -> None:
    first = to_dead_letter(Record("in", 1, 2, b"k", b"v"), "svc", "malformed", "", 1)
    inner = Record(first.topic, 0, 5, first.key, first.value, first.headers)
    second = to_dead_letter(inner, "tool", "malformed", "", 1)
    back = restore(replace(inner, offset=6, headers=second.headers))
    assert (back.topic, back.headers) == (first.topic, first.headers)


def test_an_ordinary_record_is_no_dead_letter() -> None:
    with pytest.raises(InvalidRecord, match="not_a_dead_letter"):
        restore(Record("dead-letters-v1", 0, 0, b"k", b"v"))


def test_secrets_in_an_error_do_not_reach_the_dead_letter() -> None:
    detail = "GET https://user:hunter2@host/?X-Amz-Signature=abcdef&x=1 failed, password=hunter3"
    letter = to_dead_letter(Record("in", 0, 0, None, b""), "svc", "unexpected", detail, 1)
    text = str(dict(letter.headers)["dl_detail"])
    assert not any(secret in text for secret in ("hunter2", "hunter3", "abcdef"))
    assert "x=1" in text
