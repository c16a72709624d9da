"""The Faust app, configured against its own defaults where they lose, wedge or wait."""

from typing import Any

from faust import App
from faust.transport.drivers import aiokafka as driver
from yarl import URL

from services.fusion.settings import FusionSettings

ID = "fusion"
MAX_MESSAGE_BYTES = 8 * 1024**2 + 64 * 1024  # the largest dead letter and its headers


class _IdempotentProducer(driver.Producer):
    """Without idempotence a retried request that was thought lost could overtake a newer one, and
    the changelog would end with older state than was acknowledged."""

    def _settings_extra(self) -> dict[str, Any]:
        return {"acks": "all", "enable_idempotence": True}


class _Transport(driver.Transport):
    Producer = _IdempotentProducer


def make_app(settings: FusionSettings, bootstrap_servers: str) -> App:
    """An app with no agents and tables yet. Makes the state folder."""
    folder = settings.state_dir / ID
    folder.mkdir(parents=True, exist_ok=True)
    brokers = [URL(f"kafka://{server.strip()}") for server in bootstrap_servers.split(",")]
    app = App(
        ID,
        broker=brokers,
        datadir=folder,
        store="rocksdb://",
        key_serializer="raw",
        value_serializer="raw",
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,  # `declare` has made the changelog
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.instance,
        consumer_max_fetch_size=1024**2,
        broker_max_poll_records=200,
        broker_session_timeout=settings.fusion_session_timeout_s,
        broker_heartbeat_interval=settings.fusion_session_timeout_s / 4,
        broker_rebalance_timeout=30.0,
        broker_request_timeout=30.0,
        broker_commit_interval=0.5,
        producer_request_timeout=settings.fusion_ack_timeout_s,
        producer_max_request_size=MAX_MESSAGE_BYTES,
        producer_max_batch_size=256 * 1024,
        producer_compression_type="gzip",
        stream_buffer_maxsize=128,
        stream_wait_empty=False,
        stream_publish_on_commit=False,
        worker_redirect_stdouts=False,
    )
    app.transport = _Transport(brokers, app)
    return app
