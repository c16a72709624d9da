"""A real S3 server does what the services expect, and its outages are noticed within seconds."""

import io
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from deploy.local.minio import MinioServer
from shared.contracts.outcomes import Transient
from shared.observability.metrics import STORE_SECONDS
from shared.storage import ObjectStore, S3Settings, open_store
from tests.support.store_behaviour import Pieces, StoreBehaviour

if TYPE_CHECKING:
    from tests.conftest import Endpoint

pytestmark = pytest.mark.minio


@pytest.fixture(scope="module")
def settings(minio_endpoint: "Endpoint") -> S3Settings:
    return S3Settings(
        endpoint=minio_endpoint.endpoint, access_key=minio_endpoint.access_key,
        secret_key=SecretStr(minio_endpoint.secret_key),
    )


@pytest.fixture
def prepared(settings: S3Settings) -> ObjectStore:
    store = open_store(settings)
    store.ensure_buckets()
    return store


class TestS3Store(StoreBehaviour):
    @pytest.fixture
    def store(self, prepared: ObjectStore) -> ObjectStore:
        return prepared


def test_a_wrong_key_is_named(settings: S3Settings) -> None:
    wrong = settings.model_copy(update={"secret_key": SecretStr("wrong-secret")})
    with pytest.raises(Transient, match="refuses the secret key"):
        open_store(wrong).put("a", b"x")
    unknown = settings.model_copy(update={"access_key": "nobody"})
    with pytest.raises(Transient, match="does not know this access key"):
        open_store(unknown).put("a", b"x")


def test_a_bucket_that_is_not_there_makes_the_store_unhealthy(settings: S3Settings) -> None:
    assert not open_store(settings.model_copy(update={"bucket": "not-there"})).healthy()


def test_every_call_is_measured(prepared: ObjectStore) -> None:
    def calls() -> float:
        samples = [s for m in STORE_SECONDS.collect() for s in m.samples]
        return sum(s.value for s in samples if s.name.endswith("_count") and s.labels["operation"] == "put")

    before = calls()
    prepared.put("tests/measured", b"")
    prepared.remove("tests/measured")
    assert calls() == before + 1


@pytest.fixture
def away(minio_server: MinioServer) -> Iterator[MinioServer]:
    """The session's own server, killed; it is back afterwards."""
    minio_server.kill()
    yield minio_server
    minio_server.start()


def own(server: MinioServer) -> ObjectStore:
    credentials = server.credentials
    return open_store(
        S3Settings(
            endpoint=server.endpoint, access_key=credentials.access_key,
            secret_key=SecretStr(credentials.secret_key),
        )
    )


def test_a_store_that_is_away_is_transient_within_seconds(away: MinioServer) -> None:
    store = own(away)
    started = time.monotonic()
    for call in (
        lambda: store.get("a"), lambda: store.put("a", b""), lambda: store.stat("a"),
        lambda: store.read_range("a", 0, 1), lambda: list(store.list("")), lambda: store.remove("a"),
        lambda: store.copy_in("inbox", "a", "b"), lambda: store.put_stream("a", Pieces(200)),
        store.ensure_buckets,
    ):
        with pytest.raises(Transient, match="unreachable"):
            call()
    assert not store.healthy()
    assert time.monotonic() - started < 30


def test_a_store_that_comes_back_serves_the_same_client(minio_server: MinioServer) -> None:
    store = own(minio_server)
    store.ensure_buckets()
    store.put("tests/kept", b"before")
    minio_server.kill()
    with pytest.raises(Transient):
        store.get("tests/kept")
    minio_server.start()
    assert store.get("tests/kept") == b"before"
    store.put_stream("tests/kept", io.BytesIO(b"after"))
    assert store.get("tests/kept") == b"after"
    store.remove("tests/kept")
