"""Submissions that come by Kafka: upstream platforms' events, and files dropped in the inbox bucket.

A well-formed record becomes a job even where its media may not be read: planning then rejects the job
by name. A malformed record is dead-lettered.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import unquote_plus

from services.ingest.planner import Jobs
from shared.contracts import ids
from shared.contracts.base import Event
from shared.contracts.codec import decode
from shared.contracts.jobs import JobAccepted, JobOptions, MediaRef, MediaSubmitted
from shared.contracts.outcomes import InvalidRecord
from shared.contracts.records import Record
from shared.contracts.topics import INBOX
from shared.messaging.handlers import Task
from shared.observability import metrics
from shared.storage.keys import uri


@dataclass(frozen=True)
class Submission:
    """One submission of a record, whatever its form."""

    source: Literal["event", "inbox"]
    key: str
    media: MediaRef
    options: JobOptions = JobOptions()


def read(record: Record) -> tuple[Submission, ...]:
    """The submissions in a record. Raises `InvalidRecord`."""
    if record.topic == INBOX.name:
        return tuple(_dropped(record.value or b""))
    message = decode(record)
    if not isinstance(message, MediaSubmitted):
        raise InvalidRecord("unknown_type", f"{type(message).__name__} on {record.topic}")
    return (Submission("event", message.id, MediaRef(uri=message.media_uri), message.options),)


class Intake:
    """`handle` takes what `read` gave as the task's message."""

    def __init__(
        self, jobs: Jobs, inbox_bucket: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._jobs, self._inbox_bucket, self._clock = jobs, inbox_bucket, clock

    def handle(self, task: Task) -> Iterable[Event]:
        """Raises `Transient` while it cannot be known whether the job came before."""
        submissions: tuple[Submission, ...] = task.message
        for submission in submissions:
            place = submission.media.uri
            if submission.source == "inbox" and not place.startswith(f"s3://{self._inbox_bucket}/"):
                raise InvalidRecord("wrong_bucket", place)
            job_id = ids.job_id(submission.source, submission.key)
            if self._jobs.current(job_id) is None:
                metrics.JOBS_TAKEN.labels(submission.source).inc()
                # Its time begins now, not when it was sent: an outage of ours is not its deadline's.
                yield accepted(submission, job_id, self._clock())


def accepted(submission: Submission, job_id: str, at: datetime) -> JobAccepted:
    """A repeat differs in its time only, and the first one wins."""
    return JobAccepted(
        job_id=job_id, created_at=at, source=submission.source, media=submission.media,
        options=submission.options, request_digest=digest(submission.media.uri, submission.options),
    )


def digest(media: str, options: JobOptions) -> str:
    """What was asked for: `media` is a sha256 or a URI."""
    return hashlib.sha256(f"{media}\n{options.model_dump_json()}".encode()).hexdigest()


def _dropped(value: bytes) -> Iterable[Submission]:
    """S3 event notification: keys are URL-encoded, and only creations count."""
    try:
        for event in json.loads(value)["Records"]:
            if not str(event["eventName"]).removeprefix("s3:").startswith("ObjectCreated:"):
                continue
            bucket, thing = event["s3"]["bucket"]["name"], event["s3"]["object"]
            key = unquote_plus(thing["key"])
            version = thing.get("versionId") or thing.get("eTag") or thing.get("sequencer") or ""
            place = uri(bucket, key)
            yield Submission(
                "inbox", f"{place}@{version}", MediaRef(uri=place, size=thing.get("size"), filename=key)
            )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidRecord("malformed", f"no S3 event: {type(error).__name__}: {error}") from error
