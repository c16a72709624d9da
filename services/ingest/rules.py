"""What planning needs to know of this installation; no clock, no connections."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.contracts.jobs import JobAccepted
from shared.contracts.outcomes import BadMedia
from shared.storage.keys import parse_uri


@dataclass(frozen=True)
class Rules:
    """`bucket` is our own; `media_buckets` are those that submitters may name. Durations in seconds."""

    bundle_digest: str
    bucket: str
    media_buckets: frozenset[str]
    max_bytes: int
    deadline_base_s: float
    deadline_factor: float
    plan_within_s: float

    def deadline(self, job: JobAccepted, duration_s: float) -> datetime:
        """The same for the same submission, however often it is planned."""
        return job.created_at + timedelta(seconds=self.deadline_base_s + self.deadline_factor * duration_s)

    def submitted_place(self, uri: str) -> tuple[str, str]:
        """(bucket, key) of a submitter's `s3://` URI. Raises `BadMedia("uri_forbidden")`."""
        try:
            bucket, key = parse_uri(uri)
        except ValueError as error:
            raise BadMedia("uri_forbidden", "it is no s3://bucket/key and no https URL") from error
        if bucket not in self.media_buckets:
            raise BadMedia("uri_forbidden", f"bucket {bucket[:63]}")
        if bucket == self.bucket and key.lstrip("/").startswith("jobs/"):
            raise BadMedia("uri_forbidden", "jobs/ is not for submitters")
        if not key or key.endswith("/") or any(part in ("", ".", "..") for part in key.split("/")):
            raise BadMedia("uri_forbidden", "it names no object")
        return bucket, key
