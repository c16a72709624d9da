"""A group member: leases for the partitions it was assigned, pausing, commits, lag."""

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from shared.contracts.records import Record
from shared.messaging.convert import to_record
from shared.messaging.lease import Lease
from shared.messaging.quiet import librdkafka_logger
from shared.messaging.settings import KafkaSettings
from shared.messaging.vital_signs import VitalSigns

log = logging.getLogger(__name__)
Place = tuple[str, int]  # topic, partition


class Group:
    """For one thread: callbacks come out of `poll` and `close`.

    `assigned(places)` comes after the leases exist; `revoking(leases, lost)` comes before their last
    commit, and where `lost` nothing of them can be committed any more. A client that gets nowhere is
    replaced by a new one.
    """

    def __init__(
        self, settings: KafkaSettings, group_id: str, topics: Sequence[str],
        assigned: Callable[[list[Place]], None], revoking: Callable[[list[Lease], bool], None],
        signs: VitalSigns | None = None,
    ) -> None:
        self.leases: dict[Place, Lease] = {}
        self._commits_open = 0
        self._assigned, self._revoking = assigned, revoking
        self._paused: set[Place] = set()
        self._config, self._topics = settings.consumer_config(group_id), list(topics)
        self._signs = signs or VitalSigns()
        self._generation = 0
        self._consumer = self._join()

    def poll(self, timeout_s: float) -> tuple[Lease, Record] | None:
        """The next record of a partition that is ours. Raises `KafkaException` only when it is fatal."""
        if self._signs.stuck:
            self._start_again()
        message = self._consumer.poll(timeout_s)
        if message is None:
            return None
        error = message.error()
        if error is not None:
            if error.fatal():
                raise KafkaException(error)
            librdkafka_logger().warning("polling: %s", error.str(), extra={"error": error.name()})
            return None
        record = to_record(message)
        lease = self.leases.get((record.topic, record.partition))
        return (lease, record) if lease else None

    def renew(self, lease: Lease) -> Lease:
        """A new lease in place of one whose partition started again at a lower offset."""
        place = {"topic": lease.topic, "partition": lease.partition}
        log.warning("the log was cut or made anew", extra=place)
        lease.revoke()
        self.leases[lease.topic, lease.partition] = Lease(lease.topic, lease.partition)
        return self.leases[lease.topic, lease.partition]

    def hold(self, places: Collection[Place]) -> None:
        """Pauses exactly these of our partitions and resumes the others."""
        wanted = {place for place in places if place in self.leases}
        pause, resume = wanted - self._paused, (self._paused - wanted) & self.leases.keys()
        if pause:
            self._consumer.pause([TopicPartition(*place) for place in pause])
        if resume:
            self._consumer.resume([TopicPartition(*place) for place in resume])
        self._paused = wanted

    def commit(self) -> None:
        """Asks for a commit of what is newly finished; its answer comes in a later `poll`.

        One at a time: librdkafka sends a commit again after a coordinator was away, and it would then
        overwrite a later one.
        """
        if not self._commits_open:
            self._commit(self.leases.values())

    @property
    def committed(self) -> bool:
        """Whether all that is finished is committed, by the broker's word."""
        return not self._commits_open and all(le.position == le.committed for le in self.leases.values())

    def lag(self) -> dict[str, int]:
        """Records behind the end by topic, as far as the last fetches know."""
        lags: dict[str, int] = {}
        for (topic, partition), lease in self.leases.items():
            asked = TopicPartition(topic, partition)
            _, high = self._consumer.get_watermark_offsets(asked, cached=True)  # negative: not known yet
            position = lease.low
            if position is not None and high >= position:
                lags[topic] = lags.get(topic, 0) + high - position
        return lags

    def close(self, timeout_s: float = 5.0) -> None:
        """Leaves the group; gives up on a broker that does not answer, which then notices by itself."""
        closing = threading.Thread(target=self._consumer.close, name="closing", daemon=True)
        closing.start()
        closing.join(timeout_s)
        if closing.is_alive():
            log.warning("left without the broker's answer")

    def _join(self) -> Consumer:
        config = self._config | {
            "on_commit": partial(self._on_commit, self._generation), "stats_cb": self._signs.read,
            "statistics.interval.ms": 5_000,
        }
        consumer = Consumer(config)
        consumer.subscribe(
            self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )
        return consumer

    def _start_again(self) -> None:
        """Whatever the old client still says as it leaves is not listened to."""
        log.error("the client gets nowhere: starting a new one")
        old, self._generation, self._commits_open = self._consumer, self._generation + 1, 0
        self._lose(list(self.leases.values()))
        self._consumer = self._join()
        self._signs.reset()
        threading.Thread(target=old.close, name="closing", daemon=True).start()

    def _commit(self, leases: Iterable[Lease]) -> None:
        news = [(lease, at) for lease in leases if (at := lease.position) not in (None, lease.committed)]
        if not news:
            return
        offsets = [TopicPartition(lease.topic, lease.partition, at or 0) for lease, at in news]
        try:
            # Not synchronous: it would stop the polling for as long as the coordinator is away. The
            # request still precedes the one that gives a revoked partition up.
            self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            log.warning("commit: %s", error)
            return
        self._commits_open += 1
        for lease, at in news:
            lease.committed = at

    def _on_commit(
        self, generation: int, error: KafkaError | None, partitions: list[TopicPartition]
    ) -> None:
        if generation != self._generation:
            return
        self._commits_open -= 1
        failed = [p for p in partitions if error or p.error]
        for partition in failed:
            lease = self.leases.get((partition.topic, partition.partition))
            if lease:
                lease.committed = None  # again at the next commit
        if failed:
            log.warning("not committed, will try again: %s", error or failed[0].error)

    def _on_assign(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        places = [(p.topic, p.partition) for p in partitions]
        for place in places:
            self.leases[place] = Lease(*place)
            self._paused.discard(place)
        log.info("assigned", extra={"partitions": len(places)})
        self._assigned(places)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if consumer is not self._consumer:
            return
        leases = self._ours(partitions)
        self._revoking(leases, False)
        for lease in leases:
            lease.revoke()
        self._commit(leases)
        self._forget(leases, "revoked")

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if consumer is self._consumer:
            self._lose(self._ours(partitions))

    def _lose(self, leases: list[Lease]) -> None:
        for lease in leases:
            lease.revoke()
        self._revoking(leases, True)
        self._forget(leases, "lost")

    def _ours(self, partitions: list[TopicPartition]) -> list[Lease]:
        places = [(p.topic, p.partition) for p in partitions]
        return [self.leases[place] for place in places if place in self.leases]

    def _forget(self, leases: list[Lease], what: str) -> None:
        for lease in leases:
            place = (lease.topic, lease.partition)
            self._paused.discard(place)
            del self.leases[place]
        log.info(what, extra={"partitions": len(leases)})
