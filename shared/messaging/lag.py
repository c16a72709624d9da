"""How far a consumer group is behind: what an operator, and the fault test, ask last."""

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from shared.contracts.outcomes import Transient
from shared.messaging.settings import KafkaSettings

_TIMEOUT_S = 10.0


def group_lag(settings: KafkaSettings, group: str, topic: str) -> int:
    """Records of `topic` that `group` has not committed; all of them if it never committed.

    Raises `Transient` if the broker does not answer.
    """
    client = AdminClient(settings.admin_config())
    try:
        partitions = client.list_topics(topic, timeout=_TIMEOUT_S).topics[topic].partitions
        places = [TopicPartition(topic, number) for number in partitions]
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the client ships it untyped
        ends = client.list_offsets(dict.fromkeys(places, latest))
        asked = client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group, places)])
        committed = {
            place.partition: place.offset
            for place in asked[group].result(timeout=_TIMEOUT_S).topic_partitions
        }
        return sum(
            end.result(timeout=_TIMEOUT_S).offset - max(0, committed[place.partition])
            for place, end in ends.items()
        )
    except KafkaException as error:
        raise Transient(f"lag of {group}: {error}") from error
