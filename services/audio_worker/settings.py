"""The audio worker's configuration."""

from pydantic import Field

from shared.inference.settings import WorkerSettings


class AudioWorkerSettings(WorkerSettings):
    """As `WorkerSettings`; a window of sound is small, so more of them share a batch."""

    batch_windows: int = Field(default=16, ge=1, description="windows in one inference batch")
