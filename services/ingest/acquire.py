"""The media of a job into our own bucket, hashed: from a URL, another bucket, or already there."""

import hashlib
from collections.abc import Iterator

from services.ingest.fetch import Fetcher
from services.ingest.rules import Rules
from shared.contracts.jobs import JobAccepted, MediaRef
from shared.contracts.outcomes import BadMedia
from shared.media.sniff import sniff
from shared.storage import ObjectMissing, ObjectStore
from shared.storage.keys import media_key, uri

SNIFFED = 4096  # bytes that `sniff` judges by


def acquire(job: JobAccepted, store: ObjectStore, fetcher: Fetcher, rules: Rules) -> MediaRef:
    """A reference into our bucket with size and sha256. Raises `BadMedia` or `Transient`.

    A whole object from an earlier attempt is used again, so that planning twice plans the same bytes."""
    if job.source == "upload":
        return job.media
    key = media_key(job.job_id)
    try:
        try:
            return _hashed(store, key)
        except ObjectMissing:
            pass
        if job.media.uri.startswith("https://"):
            return _fetch(job.media.uri, key, store, fetcher)
        bucket, source_key = rules.submitted_place(job.media.uri)
        if store.within(bucket).stat(source_key).size > rules.max_bytes:
            raise BadMedia("too_large")
        store.copy_in(bucket, source_key, key)
        return _hashed(store, key)
    except ObjectMissing as error:
        raise BadMedia("media_missing") from error


def _fetch(url: str, key: str, store: ObjectStore, fetcher: Fetcher) -> MediaRef:
    with fetcher.open(url) as pieces:
        stream = _Sniffed(pieces)
        store.put_stream(key, stream)
    return MediaRef(uri=uri(store.bucket, key), size=stream.size, sha256=stream.digest.hexdigest())


def _hashed(store: ObjectStore, key: str) -> MediaRef:
    digest, size = hashlib.sha256(), 0
    for piece in store.iter_bytes(key):
        digest.update(piece)
        size += len(piece)
    return MediaRef(uri=uri(store.bucket, key), size=size, sha256=digest.hexdigest())


class _Sniffed:
    """A stream that is hashed, and ends at once if its first bytes are no media."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.digest, self.size = hashlib.sha256(), 0
        self._pieces, self._rest, self._judged = pieces, b"", False

    def read(self, n: int, /) -> bytes:
        if not self._judged:
            while len(self._rest) < SNIFFED and (piece := next(self._pieces, b"")):
                self._rest += piece
            sniff(self._rest[:SNIFFED])
            self._judged = True
        if not self._rest:
            self._rest = next(self._pieces, b"")
        taken, self._rest = self._rest[:n], self._rest[n:]
        self.digest.update(taken)
        self.size += len(taken)
        return taken
