"""Everything about ingest that an operator may set: `VERACITY_*`, read once in `__main__`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

DAY_S = 24 * 3600.0


class IngestSettings(BaseSettings):
    """Durations are in seconds."""

    model_config = SettingsConfigDict(env_prefix="VERACITY_", frozen=True, extra="ignore")

    http_host: str = "0.0.0.0"  # noqa: S104 a service; its reach is the network policy's business
    http_port: int = 8080
    state_dir: Path = Field(default=Path(".local/state/ingest"), description="the read model; may be lost")
    bundle: str = "compact"
    media_buckets: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="buckets, beside the inbox and `media`, that s3:// submissions may name"
    )
    deadline_base_s: float = Field(default=3600.0, gt=0, description="a job's time, whatever its length")
    deadline_factor: float = Field(default=30.0, ge=0, description="and this many seconds a second of clip")
    plan_within_s: float = Field(default=6 * 3600.0, description="then an unplanned job is given up")
    fetch_total_s: float = Field(default=120.0, gt=0, description="for fetching one URL, all in all")
    fetch_stall_s: float = Field(default=15.0, gt=0, description="a host may be silent for so long")
    planner_workers: int = Field(default=8, ge=1, description="jobs planned at once; most wait for bytes")
    probes: int = Field(default=2, ge=1, description="media probed at once")
    upload_total_s: float = Field(default=3600.0, gt=0, description="for receiving one upload")
    publish_timeout_s: float = Field(default=4.0, gt=0, description="then a submission is answered with 503")
    catch_up_s: float = Field(default=3.0, gt=0, description="how long a miss waits for the read model")
    explain_within_s: float = Field(default=900.0, gt=0, description="then a verdict stands without pictures")
    listen_every_s: float = Field(default=1.0, gt=0, description="between two questions to the broker")
    sweep_every_s: float = Field(default=2.0, gt=0)
    sweep_again_s: float = Field(
        default=2 * 3600.0, description="after a deletion: longer than anything still writes below the job"
    )
    deleted_ttl_s: float = Field(
        default=DAY_S, description="so long a deleted job reads `cancelled`, then 404"
    )
    keep_jobs_s: float = Field(default=29 * DAY_S, description="then a job and its media are deleted")
    heartbeat_s: float = Field(default=15.0, gt=0, description="between comments on a quiet event stream")

    @field_validator("media_buckets", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value
