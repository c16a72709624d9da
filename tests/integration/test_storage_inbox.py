"""A file dropped in the inbox bucket is told to Kafka by the object store itself."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.local.minio import NOTIFY_ARN, Credentials, MinioServer
from deploy.local.ports import free_ports
from shared.contracts.outcomes import Transient
from shared.contracts.topics import INBOX
from shared.messaging.admin import create_topics
from shared.messaging.reader import LogReader
from shared.messaging.settings import KafkaSettings
from shared.storage import S3Settings, open_store
from shared.storage.inbox import configure_inbox

pytestmark = [pytest.mark.kafka, pytest.mark.minio]


@pytest.fixture
def kafka(kafka_bootstrap: str) -> KafkaSettings:
    settings = KafkaSettings(bootstrap_servers=kafka_bootstrap)
    create_topics(settings, partitions=4, replication=1)
    return settings


@pytest.fixture
def s3(kafka: KafkaSettings, tmp_path: Path) -> Iterator[S3Settings]:
    credentials = Credentials()
    with MinioServer(tmp_path, free_ports(1)[0], credentials, kafka.bootstrap_servers) as server:
        yield S3Settings(
            endpoint=server.endpoint, access_key=credentials.access_key,
            secret_key=SecretStr(credentials.secret_key),
        )


def keys(value: bytes | None) -> list[str]:
    return [record["s3"]["object"]["key"] for record in json.loads(value or b"{}")["Records"]]


def test_a_dropped_file_becomes_one_record(kafka: KafkaSettings, s3: S3Settings) -> None:
    store = open_store(s3)
    store.ensure_buckets()
    configure_inbox(s3, NOTIFY_ARN)
    configure_inbox(s3, NOTIFY_ARN)
    with LogReader(kafka, [INBOX.name], {}) as reader:
        start = reader.end_offsets()
    with LogReader(kafka, [INBOX.name], start) as reader:
        store.put("not-in-the-inbox", b"")
        store.within(s3.inbox_bucket).put("clips/talk one.mp4", b"media", "video/mp4")
        found = [*reader.poll(20), *reader.poll(1)]
    assert [keys(record.value) for record in found] == [["clips%2Ftalk+one.mp4"]]


def test_a_target_that_the_store_does_not_know_is_named(s3: S3Settings) -> None:
    open_store(s3).ensure_buckets()
    with pytest.raises(Transient, match="notify arn:minio:sqs::OTHER:kafka"):
        configure_inbox(s3, "arn:minio:sqs::OTHER:kafka")
