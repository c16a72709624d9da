"""Real servers for the tests that ask for them: Apache Kafka and MinIO, started once a session on free ports.

KAFKA_BOOTSTRAP_SERVERS or S3_ENDPOINT (with S3_ACCESS_KEY and S3_SECRET_KEY) in the environment: that one.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

import shared.models  # noqa: F401 - before any test imports torch: it makes waiting threads sleep
from deploy.local.kafka import KafkaServer
from deploy.local.minio import Credentials, MinioServer
from deploy.local.ports import free_ports


@dataclass(frozen=True)
class Endpoint:
    """Where an S3 server is and how to sign in."""

    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """A broker of the session's own, also when the environment names one: tests may kill and start it."""
    port, controller_port = free_ports(2)
    with KafkaServer(tmp_path_factory.mktemp("kafka"), port, controller_port) as server:
        yield server


@pytest.fixture(scope="session")
def kafka_bootstrap(request: pytest.FixtureRequest) -> str:
    """host:port of a real broker that stays up."""
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if given:
        return given
    server: KafkaServer = request.getfixturevalue("kafka_server")
    return server.bootstrap


@pytest.fixture(scope="session")
def minio_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MinioServer]:
    """An S3 server of the session's own: tests may kill and start it."""
    with MinioServer(tmp_path_factory.mktemp("minio"), free_ports(1)[0], Credentials()) as server:
        yield server


@pytest.fixture(scope="session")
def minio_endpoint(request: pytest.FixtureRequest) -> Endpoint:
    """A real S3 server that stays up, with its credentials."""
    given = os.environ.get("S3_ENDPOINT")
    if given:
        return Endpoint(given, os.environ["S3_ACCESS_KEY"], os.environ["S3_SECRET_KEY"])
    server: MinioServer = request.getfixturevalue("minio_server")
    credentials = server.credentials
    return Endpoint(server.endpoint, credentials.access_key, credentials.secret_key)
