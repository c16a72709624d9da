"""Fusion's configuration, read once in `__main__`."""

from pathlib import Path

from pydantic import Field

from shared.inference.settings import InferenceSettings


class FusionSettings(InferenceSettings):
    """Read from `VERACITY_*`. Kafka's address is `shared.messaging.settings.KafkaSettings`'."""

    state_dir: Path = Field(default=Path(".local/state"), description="fusion's lies in `fusion` below it")
    instance: str | None = Field(
        default=None, description="static member id: a restart keeps its partitions without a rebalance"
    )
    fusion_batch: int = Field(default=64, ge=1, description="records taken into one step")
    fusion_ack_timeout_s: float = Field(
        default=120.0, description="without an acknowledgement for so long, the process ends and is restarted"
    )
    fusion_session_timeout_s: float = Field(
        default=6.0, description="a killed process's partitions move after this"
    )
    tombstone_ttl_s: float = Field(
        default=8 * 86400.0, description="longer than any input topic keeps its records"
    )
