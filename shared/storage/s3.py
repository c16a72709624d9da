"""`ObjectStore` over the S3 API, by minio-py."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import BinaryIO, cast
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.commonconfig import CopySource
from minio.datatypes import Object
from minio.deleteobjects import DeleteObject
from minio.error import S3Error

from shared.contracts.outcomes import Transient
from shared.observability.metrics import STORE_SECONDS
from shared.storage.failures import STORE_ERRORS, named
from shared.storage.object_store import MIB, ObjectMissing, ObjectStat, ObjectStore, Reader
from shared.storage.settings import S3Settings
from shared.storage.streams import Filled

PART_BYTES = 8 * MIB  # at most two of them are in memory
MOST_PARTS = 10_000


class S3Store:
    """Opens no connection until it is used. Satisfies `ObjectStore`."""

    def __init__(self, settings: S3Settings) -> None:
        self._settings, self._bucket = settings, settings.bucket
        self._client = client(settings, settings.read_timeout_s)
        self._copier = client(settings, settings.copy_timeout_s)

    @property
    def bucket(self) -> str:
        return self._bucket

    def within(self, bucket: str) -> "S3Store":
        other = copy(self)  # over the same connections
        other._bucket = bucket
        return other

    def put(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> ObjectStat:
        return self.put_stream(key, io.BytesIO(data), content_type, len(data))

    def put_stream(
        self, key: str, stream: Reader, content_type: str = "application/octet-stream", size: int = -1
    ) -> ObjectStat:
        source = Filled(stream)
        part = max(PART_BYTES, -(-size // MOST_PARTS))
        with self._asking("put", key):
            written = self._client.put_object(
                self._bucket, key, cast(BinaryIO, source), -1, content_type,
                part_size=part, num_parallel_uploads=1,
            )
        return ObjectStat(source.size, (written.etag or "").strip('"'), content_type)

    def get(self, key: str) -> bytes:
        with self._asking("get", key):
            return self._read(key)

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        if length <= 0:
            return b""
        with self._asking("read", key):
            try:
                return self._read(key, offset, length)
            except S3Error as error:
                if error.code == "InvalidRange":
                    return b""
                raise

    def iter_bytes(self, key: str, chunk: int = MIB) -> Iterator[bytes]:
        size = self.stat(key).size
        return (self.read_range(key, start, chunk) for start in range(0, size, chunk))

    def stat(self, key: str) -> ObjectStat:
        with self._asking("stat", key):
            return _stat(self._client.stat_object(self._bucket, key))

    def copy_in(self, bucket: str, key: str, to_key: str) -> ObjectStat:
        with self._asking("copy", key, bucket):
            self._copier.copy_object(self._bucket, to_key, CopySource(bucket, key))
        return self.stat(to_key)

    def list(self, prefix: str) -> Iterator[str]:
        with self._asking("list", prefix):
            for entry in self._client.list_objects(self._bucket, prefix, recursive=True):
                if entry.object_name is not None:
                    yield entry.object_name

    def remove(self, key: str) -> None:
        with self._asking("remove", key):
            self._client.remove_object(self._bucket, key)

    def remove_prefix(self, prefix: str) -> None:
        keys = [DeleteObject(key) for key in self.list(prefix)]
        with self._asking("remove", prefix):
            for failure in self._client.remove_objects(self._bucket, keys):
                raise Transient(f"remove {prefix}: {failure.code}")

    def ensure_buckets(self) -> None:
        for bucket in (self._bucket, self._settings.inbox_bucket):
            with self._asking("create", "", bucket):
                try:
                    if not self._client.bucket_exists(bucket):
                        self._client.make_bucket(bucket)
                except S3Error as error:
                    if error.code not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                        raise

    def healthy(self) -> bool:
        try:
            with self._asking("health", ""):
                return self._client.bucket_exists(self._bucket)
        except (Transient, ObjectMissing):
            return False

    def _read(self, key: str, offset: int = 0, length: int = 0) -> bytes:
        response = self._client.get_object(self._bucket, key, offset=offset, length=length)
        try:
            return response.read()
        finally:
            response.close()
            response.release_conn()

    @contextmanager
    def _asking(self, operation: str, key: str, bucket: str | None = None) -> Iterator[None]:
        bucket = bucket or self._bucket
        try:
            with STORE_SECONDS.labels(operation).time():
                yield
        except STORE_ERRORS as error:
            foreign = bucket != self._settings.bucket
            raise named(error, f"{operation} s3://{bucket}/{key}", foreign=foreign) from error


def open_store(settings: S3Settings | None = None) -> ObjectStore:
    """The store that `settings`, or else the environment, names. Opens no connection yet."""
    return S3Store(settings or S3Settings())


def _stat(found: Object) -> ObjectStat:
    return ObjectStat(
        found.size or 0, (found.etag or "").strip('"'), found.content_type or "application/octet-stream"
    )


def client(settings: S3Settings, read_timeout_s: float) -> Minio:
    """A client whose calls end within seconds. Raises `ValueError` on an endpoint that is no URL."""
    place = urlsplit(settings.endpoint)
    if place.scheme not in {"http", "https"} or not place.netloc or place.path.strip("/"):
        raise ValueError(f"S3_ENDPOINT must be http(s)://host:port, not {settings.endpoint!r}")
    # Bounded by hand: minio-py's own pool waits five minutes, five times.
    pool = urllib3.PoolManager(
        maxsize=16,
        timeout=urllib3.Timeout(connect=settings.connect_timeout_s, read=read_timeout_s),
        retries=urllib3.Retry(
            total=2, read=1, redirect=0, backoff_factor=0.2, backoff_jitter=0.2,
            status_forcelist=(500, 502, 503, 504), raise_on_status=False,
        ),
    )
    return Minio(
        place.netloc, access_key=settings.access_key or None,
        secret_key=settings.secret_key.get_secret_value() or None, secure=place.scheme == "https",
        region=settings.region, http_client=pool,
    )
