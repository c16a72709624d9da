"""Media of a message as a source of bytes."""

from shared.contracts.outcomes import BadMedia, InvalidRecord
from shared.storage import ObjectMissing, ObjectSource, ObjectStore
from shared.storage.keys import parse_uri


class StoredMedia:
    """Satisfies `media.sources.ByteSource`. Missing media are the job's fault, not the service's."""

    def __init__(self, source: ObjectSource) -> None:
        self._source = source

    @property
    def size(self) -> int:
        return self._source.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Raises `Transient`, or `BadMedia("media_missing")`."""
        try:
            return self._source.read_at(offset, length)
        except ObjectMissing as error:
            raise BadMedia("media_missing") from error


def open_media(store: ObjectStore, uri: str, size: int) -> StoredMedia:
    """uri: "s3://bucket/key"; size in bytes, as probing found it. Nothing is read yet.

    Raises `InvalidRecord("malformed")` on any other URI."""
    try:
        bucket, key = parse_uri(uri)
    except ValueError as error:
        raise InvalidRecord("malformed", str(error)) from error
    return StoredMedia(ObjectSource(store.within(bucket), key, size))
