"""What an operator may set of a service that runs the model."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class InferenceSettings(BaseSettings):
    """Read from `VERACITY_*`, once, in `__main__`. The runtime is pinned, since it changes last bits."""

    model_config = SettingsConfigDict(env_prefix="VERACITY_", frozen=True, extra="ignore")

    bundle: str = Field(default="compact", description="a shipped name, a folder, s3://... or hub:...")
    bundle_before: str | None = Field(
        default=None, description="during a rollout: the bundle of the jobs that are still under way"
    )
    bundle_cache: Path | None = None
    device: str = "auto"
    dtype: str = "auto"
    threads: int | None = Field(default=None, ge=1, description="of the model; none: the cores at hand")
    metrics_port: int = Field(default=9100, ge=0, le=65535)
    log_level: str = "INFO"


class WorkerSettings(InferenceSettings):
    """Of the two workers: how much they take at a time."""

    batch_windows: int = Field(default=8, ge=1, description="model inputs in one inference batch")
    batch_segments: int = Field(default=4, ge=1, description="segments, of any jobs, handled together")
    open_segments: int = Field(default=2, ge=1, description="segments decoded side by side")
