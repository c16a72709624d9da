"""Fusion's configuration, read once in `__main__`."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class FusionSettings(BaseSettings):
    """Read from `VERACITY_*`. Kafka's address is `shared.messaging.settings.KafkaSettings`'."""

    model_config = SettingsConfigDict(env_prefix="VERACITY_", frozen=True)

    bundle: str = "compact"
    device: str = "auto"
    dtype: str = "auto"
    threads: int | None = None
    metrics_port: int = 17003
    state_dir: Path = Field(default=Path(".local/state"), description="fusion's lies in `fusion` below it")
    instance: str | None = Field(
        default=None, description="static member id: a restart keeps its partitions without a rebalance"
    )
    fusion_batch: int = Field(default=64, description="records taken into one step")
    fusion_ack_timeout_s: float = Field(
        default=120.0, description="without an acknowledgement for so long, the process ends and is restarted"
    )
    tombstone_ttl_s: float = Field(
        default=8 * 86400.0, description="longer than any input topic keeps its records"
    )
    session_timeout_s: float = 6.0
    heartbeat_s: float = 1.5
