"""Each way the store can fail has one name."""

import pytest
from minio.error import InvalidResponseError, S3Error, ServerError
from urllib3 import HTTPResponse
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError, ReadTimeoutError

from shared.contracts.outcomes import Transient
from shared.storage import ObjectMissing, S3Settings, open_store
from shared.storage.failures import named


def s3_error(code: str) -> S3Error:
    return S3Error(HTTPResponse(), code, "a message", "/b/k", None, None)


@pytest.mark.parametrize("code", ["NoSuchKey", "NoSuchBucket"])
def test_what_is_not_there_is_missing(code: str) -> None:
    assert isinstance(named(s3_error(code), "get s3://b/k"), ObjectMissing)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (s3_error("XMinioStorageFull"), "disk is full"),
        (s3_error("SlowDown"), "overloaded"),
        (s3_error("AccessDenied"), "credentials"),
        (s3_error("SomethingNew"), "SomethingNew: a message"),
        (ServerError("oops", 502), "502"),
        (InvalidResponseError(200, "text/html", "<html>"), "no object store"),
        (ProtocolError("cut off"), "unreachable: ProtocolError"),
        (ReadTimeoutError(None, "/b/k", "slow"), "unreachable: ReadTimeoutError"),  # type: ignore[arg-type]
        (
            MaxRetryError(None, "/b/k", NewConnectionError(None, "refused")),  # type: ignore[arg-type]
            "unreachable: NewConnectionError",
        ),
    ],
)
def test_everything_else_can_be_tried_again(error: Exception, words: str) -> None:
    result = named(error, "get s3://b/k")
    assert isinstance(result, Transient)
    assert words in str(result)
    assert "get s3://b/k" in str(result)


def test_a_foreign_bucket_that_denies_is_an_answer() -> None:
    assert isinstance(named(s3_error("AccessDenied"), "get s3://b/k", foreign=True), ObjectMissing)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_ENDPOINT", "https://store.example:9000")
    monkeypatch.setenv("S3_SECRET_KEY", "very secret")
    settings = S3Settings()
    assert settings.endpoint == "https://store.example:9000"
    assert "very secret" not in repr(settings)


@pytest.mark.parametrize("endpoint", ["127.0.0.1:9000", "ftp://host", "http://", "http://host/path"])
def test_an_endpoint_that_is_no_url_is_refused_at_once(endpoint: str) -> None:
    with pytest.raises(ValueError, match="S3_ENDPOINT"):
        open_store(S3Settings(endpoint=endpoint))
