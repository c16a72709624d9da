"""How to reach Kafka, and the librdkafka configuration that every client of ours shares.

Killed members are noticed after the group's session timeout. With `group_protocol="consumer"`
(KIP-848) that is the broker's to set: `group.consumer.session.timeout.ms` and
`group.consumer.heartbeat.interval.ms` (and their `group.consumer.min.*` floors, 45 s and 5 s by
default). With "classic" it is set here, to 10 s.
"""

from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.messaging.quiet import librdkafka_logger

Config = dict[str, Any]
# Room for the largest dead letter (8 MiB) and its headers.
MAX_MESSAGE_BYTES = 8 * 1024 * 1024 + 64 * 1024


class KafkaSettings(BaseSettings):
    """Read from `KAFKA_*`. `overrides` (JSON) are raw librdkafka properties and win over ours."""

    model_config = SettingsConfigDict(env_prefix="KAFKA_", frozen=True)

    bootstrap_servers: str = "127.0.0.1:9092"
    group_protocol: Literal["consumer", "classic"] = "consumer"
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_ca_location: str | None = None
    overrides: dict[str, Any] = Field(default={}, repr=False)

    def producer_config(self, client_id: str, delivery_timeout_s: float = 120.0) -> Config:
        """An idempotent producer that places keys as Java and aiokafka do."""
        return self._common(client_id) | {
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 5,
            "message.max.bytes": MAX_MESSAGE_BYTES,
            "message.timeout.ms": int(delivery_timeout_s * 1000),
        } | self.overrides

    def consumer_config(self, group_id: str) -> Config:
        """A group member that commits only what it is told to."""
        classic = {
            "session.timeout.ms": 10_000,
            "heartbeat.interval.ms": 2_000,
            "partition.assignment.strategy": "cooperative-sticky",
        } if self.group_protocol == "classic" else {}
        return self._common(group_id) | classic | {
            "group.id": group_id,
            "group.protocol": self.group_protocol,
            "max.poll.interval.ms": 60_000,
        } | self._reading() | self.overrides

    def reader_config(self, client_id: str) -> Config:
        """A consumer without a group: librdkafka wants a group id, but it joins none."""
        return self._common(client_id) | {"group.id": client_id} | self._reading() | self.overrides

    def admin_config(self) -> Config:
        """For `AdminClient`."""
        return self._common("admin") | self.overrides

    def _reading(self) -> Config:
        return {
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "queued.min.messages": 1_000,
            "queued.max.messages.kbytes": 16 * 1024,
            "fetch.message.max.bytes": 1024 * 1024,
        }

    def _common(self, client_id: str) -> Config:
        config: Config = {
            "bootstrap.servers": self.bootstrap_servers,
            "client.id": client_id,
            "security.protocol": self.security_protocol,
            "logger": librdkafka_logger(),
            "reconnect.backoff.max.ms": 2_000,
            "topic.metadata.refresh.interval.ms": 10_000,
            # A broker that comes back may first answer that there is none: librdkafka then forgets the
            # last one it knew, and starts again from bootstrap.servers only after this (5 min by default).
            "metadata.recovery.rebootstrap.trigger.ms": 5_000,
            "socket.keepalive.enable": True,
        }
        secret = self.sasl_password.get_secret_value() if self.sasl_password else None
        optional = {
            "sasl.mechanism": self.sasl_mechanism, "sasl.username": self.sasl_username,
            "sasl.password": secret, "ssl.ca.location": self.ssl_ca_location,
        }
        return config | {name: value for name, value in optional.items() if value is not None}
