"""The Faust app, configured against its own defaults where they lose, wedge or wait."""

from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import Any

from faust import App
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, Message
from yarl import URL

from services.fusion.settings import FusionSettings

ID = "fusion"
POLL_S = 0.1
FETCH_WAIT_MS = 100
FETCH_BYTES = 8 * 1024**2
MAX_MESSAGE_BYTES = 8 * 1024**2 + 64 * 1024  # the largest dead letter and its headers


class _IdempotentProducer(driver.Producer):
    """Without idempotence a retried request that was thought lost could overtake a newer one, and
    the changelog would end with older state than was acknowledged."""

    def _settings_extra(self) -> dict[str, Any]:
        return {"acks": "all", "enable_idempotence": True}


class _Thread(driver.AIOKafkaConsumerThread):
    """aiokafka has one fetch a broker under way, and Faust lets it wait 1.5 s for data: while it waits on
    partitions that have none, the rest of a long job, all in one partition, is not fetched."""

    consumer: "FusionConsumer"

    def _create_worker_consumer(self, transport: driver.Transport) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        consumer._fetch_max_bytes = FETCH_BYTES
        return consumer

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """aiokafka leaves a partition without a commit where it is, and Faust has dropped, around a
        rebalance, what was fetched before: the head of that partition would never be read."""
        committed = await super().seek_to_committed()
        inputs = [tp for tp in committed if not self.consumer._is_changelog_tp(tp)]
        first = await self.earliest_offsets(*inputs)
        starts = {tp: max(committed[tp] or 0, first.get(tp) or 0) for tp in inputs}
        await self.seek_wait({tp: s for tp, s in starts.items() if not committed[tp] or s != committed[tp]})
        self.consumer.starts = {(tp.topic, tp.partition): start for tp, start in starts.items()}
        return committed


class FusionConsumer(driver.Consumer):
    """Faust waits a second for other partitions while fetched records lie of one that it had paused for a
    full buffer; not here. `starts` is replaced whenever reading starts anew. Faust drops records below
    the last one that it delivered, also where that one was under way while reading started anew below it:
    then the records between would never come. Here repeats are delivered; the join counts them."""

    starts: Mapping[tuple[str, int], int] = MappingProxyType({})

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:
        async for item in super().getmany(min(timeout, POLL_S)):
            starts = self.starts
            yield item
            if not self._is_changelog_tp(item[0]):
                self._read_offset[item[0]] = None
            if self.starts is not starts:
                return  # the rest was fetched before


class _Transport(driver.Transport):
    Producer = _IdempotentProducer
    Consumer = FusionConsumer


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
        consumer_max_fetch_size=4 * 1024**2,
        broker_max_poll_records=500,
        broker_session_timeout=settings.fusion_session_timeout_s,
        broker_heartbeat_interval=settings.fusion_session_timeout_s / 4,
        broker_rebalance_timeout=30.0,
        broker_request_timeout=30.0,
        broker_commit_interval=0.5,
        producer_request_timeout=settings.fusion_ack_timeout_s,
        producer_max_request_size=MAX_MESSAGE_BYTES,
        producer_max_batch_size=256 * 1024,
        producer_compression_type="gzip",
        stream_buffer_maxsize=512,
        stream_wait_empty=False,
        stream_publish_on_commit=False,
        worker_redirect_stdouts=False,
    )
    app.transport = _Transport(brokers, app)
    return app
