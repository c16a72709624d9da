"""The inbox: a bucket that tells Kafka of every file dropped in it."""

from minio import Minio
from minio.notificationconfig import NotificationConfig, QueueConfig

from shared.storage.failures import STORE_ERRORS, named
from shared.storage.s3 import client
from shared.storage.settings import S3Settings

CONFIG_ID = "veracity-inbox"


def configure_inbox(settings: S3Settings, arn: str) -> None:
    """Send "object created" events of the inbox bucket to `arn`, e.g. `arn:minio:sqs::VERACITY:kafka`.

    The bucket must exist; other notifications on it are kept. May be repeated. Raises `Transient`."""
    try:
        _configure(client(settings, settings.read_timeout_s), settings.inbox_bucket, arn)
    except STORE_ERRORS as error:
        raise named(error, f"notify {arn} of s3://{settings.inbox_bucket}") from error


def _configure(store: Minio, bucket: str, arn: str) -> None:
    present = store.get_bucket_notification(bucket)
    others = [queue for queue in present.queue_config_list or [] if queue.config_id != CONFIG_ID]
    ours = QueueConfig(queue=arn, events=["s3:ObjectCreated:*"], config_id=CONFIG_ID)
    store.set_bucket_notification(
        bucket,
        NotificationConfig(
            cloud_func_config_list=present.cloud_func_config_list, queue_config_list=[*others, ours],
            topic_config_list=present.topic_config_list,
        ),
    )
