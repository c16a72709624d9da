"""What minio-py and urllib3 raise, by the names that the services know."""

from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError, MaxRetryError

from shared.contracts.outcomes import Transient
from shared.storage.object_store import ObjectMissing

# An error inside minio-py or urllib3; what a caller's stream raises is none of them.
STORE_ERRORS: tuple[type[Exception], ...] = (MinioException, HTTPError)

_MISSING = {"NoSuchKey", "NoSuchBucket", "NoSuchUpload", "NoSuchVersion", "ResourceNotFound"}
_NAMED = {
    "XMinioStorageFull": "the object store's disk is full",
    "SlowDown": "the object store is overloaded",
    "SlowDownRead": "the object store is overloaded",
    "SlowDownWrite": "the object store is overloaded",
    "XMinioServerNotInitialized": "the object store is starting",
    "AccessDenied": "the object store denies access: check the credentials",
    "InvalidAccessKeyId": "the object store does not know this access key",
    "SignatureDoesNotMatch": "the object store refuses the secret key",
    "RequestTimeTooSkewed": "this machine's clock and the object store's differ",
}


def named(error: Exception, what: str, *, foreign: bool = False) -> Exception:
    """The exception to raise instead of `error`; `what` is e.g. "get s3://b/k".

    `foreign`: a bucket that is not the service's own, where a refusal is final."""
    if isinstance(error, S3Error):
        code = error.code or "unknown"
        if code in _MISSING or (foreign and code == "AccessDenied"):
            return ObjectMissing(f"{what}: {code}")
        return Transient(f"{what}: {_NAMED.get(code, f'{code}: {error.message}')}")
    if isinstance(error, ServerError):
        return Transient(f"{what}: the object store answered {error.status_code}")
    if isinstance(error, InvalidResponseError):
        return Transient(f"{what}: this is no object store: {str(error)[:200]}")
    if isinstance(error, MaxRetryError) and error.reason is not None:
        return Transient(f"{what}: the object store is unreachable: {type(error.reason).__name__}")
    return Transient(f"{what}: the object store is unreachable: {type(error).__name__}")
