"""Dead letters as documents, and back to where they came from."""

import base64
from dataclasses import dataclass
from typing import Any

from shared.contracts.records import Record
from shared.contracts.topics import EXPLANATIONS, INBOX, MEDIA_SUBMITTED, VERDICTS
from shared.messaging.dead_letters import DeadLetter, restore
from shared.messaging.producer import Producer
from shared.messaging.reader import LogReader
from shared.messaging.settings import KafkaSettings

Document = dict[str, Any]
# Before there is a job, and after its verdict, a verdict forbids nothing.
_WITHOUT_JOB = {MEDIA_SUBMITTED.name, INBOX.name}
_AFTER_VERDICT = {VERDICTS.name, EXPLANATIONS.name}
_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Report:
    replayed: list[Document]
    refused: list[Document]


def put_back(settings: KafkaSettings, letters: list[DeadLetter]) -> Report:
    """Replay `letters`, except where the job already has a verdict. Raises `Transient`."""
    asked = {letter.place: job for letter in letters if (job := open_job(letter)) is not None}
    judged = _judged(settings, set(asked.values())) if asked else set()
    allowed = [letter for letter in letters if asked.get(letter.place) not in judged]
    refused = [
        {
            "id": letter.place, "code": "has_verdict", "job_id": asked[letter.place],
            "message": f"job {asked[letter.place]} already has a verdict: submit its clip again",
        }
        for letter in letters if letter not in allowed
    ]
    producer = Producer(settings, "veracity-replay", delivery_timeout_s=_TIMEOUT_S)
    try:
        placed = producer.send_and_wait([restore(letter.letter) for letter in allowed], _TIMEOUT_S)
    finally:
        producer.close(_TIMEOUT_S)
    replayed = [
        {"id": letter.place, "topic": to.topic, "partition": to.partition, "offset": to.offset}
        for letter, to in zip(allowed, placed, strict=True)
    ]
    return Report(replayed, refused)


def open_job(letter: DeadLetter) -> str | None:
    """The job that a verdict would have closed; segments are keyed `job_id:segment`."""
    if letter.topic in _WITHOUT_JOB | _AFTER_VERDICT or letter.letter.key is None:
        return None
    return letter.letter.key.decode("utf-8", "replace").partition(":")[0]


def summary(letter: DeadLetter) -> Document:
    return {
        "id": letter.place, "topic": letter.topic, "partition": letter.partition, "offset": letter.offset,
        "service": letter.service, "reason": letter.reason, "error": letter.error, "detail": letter.detail,
        "attempts": letter.attempts, "traceparent": letter.traceparent,
        "key": _text(letter.letter.key), "size": len(letter.letter.value or b""),
    }


def content(letter: DeadLetter) -> Document:
    """The original headers and bytes; what is no text comes as base64."""
    original = restore(letter.letter)
    value = original.value
    headers = {name: _text(data) for name, data in original.headers}
    text = None if value is None else _exact(value)
    if value is not None and text is None:
        return {"headers": headers, "value_base64": base64.b64encode(value).decode()}
    return {"headers": headers, "value": text}


def _judged(settings: KafkaSettings, jobs: set[str]) -> set[str]:
    with LogReader(settings, [VERDICTS.name], {}, client_id="veracity-replay") as reader:
        return {job for record in reader.read_to_end(_TIMEOUT_S) if (job := _key(record)) in jobs}


def _key(record: Record) -> str:
    return (record.key or b"").decode("utf-8", "replace")


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", "backslashreplace")


def _exact(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
