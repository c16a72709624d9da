"""Topics are made by this code from the one table, never by accident on first use."""

import time
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.cimpl import NewTopic

from shared.contracts.outcomes import Transient
from shared.contracts.topics import TOPICS
from shared.messaging.settings import KafkaSettings

_TIMEOUT_S = 30.0


def wait_for_broker(settings: KafkaSettings, timeout_s: float) -> None:
    """Returns when a broker answers. Raises `Transient` after `timeout_s`."""
    client = AdminClient(settings.admin_config())
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            client.list_topics(timeout=max(0.1, min(2.0, deadline - time.monotonic())))
            return
        except KafkaException as error:
            if time.monotonic() > deadline:
                raise Transient(f"no broker within {timeout_s} s: {error}") from error
        client.poll(0.1)


def create_topics(
    settings: KafkaSettings, partitions: int | None = None, replication: int | None = None
) -> list[str]:
    """Makes the topics of the table that do not exist yet and returns their names.

    Existing ones are left as they are. `partitions` and `replication` override the table and the
    broker's default. All topics get the same number of partitions, which the join relies on.
    Raises `Transient` if the broker does not answer.
    """
    wanted = [
        NewTopic(t.name, partitions or t.partitions, replication or -1, config=t.config()) for t in TOPICS
    ]
    made = []
    client = AdminClient(settings.admin_config())  # kept: its end would end the requests
    for name, future in client.create_topics(wanted).items():
        try:
            _result(future)
            made.append(name)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise Transient(f"topic {name}: {error}") from error
    return made


def describe_topics(settings: KafkaSettings) -> dict[str, dict[str, str]]:
    """What the broker has of the table: name to partitions, replication and configuration.

    Missing topics are absent from the answer. Raises `Transient` if the broker does not answer.
    """
    client = AdminClient(settings.admin_config())
    try:
        known = client.list_topics(timeout=_TIMEOUT_S).topics
        present = [t for t in TOPICS if t.name in known and not known[t.name].error]
        resources = {t.name: ConfigResource(ConfigResource.Type.TOPIC, t.name) for t in present}
        configs = client.describe_configs(list(resources.values())) if resources else {}
        return {
            t.name: {
                "partitions": str(len(known[t.name].partitions)),
                "replication": str(max(len(p.replicas) for p in known[t.name].partitions.values())),
                **{name: _result(configs[resources[t.name]])[name].value for name in t.config()},
            }
            for t in present
        }
    except KafkaException as error:
        raise Transient(f"describing topics: {error}") from error


def _result(future: "Future[Any]") -> Any:
    return future.result(timeout=_TIMEOUT_S)
