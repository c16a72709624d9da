"""The video worker's configuration."""

from shared.inference.settings import WorkerSettings


class VideoWorkerSettings(WorkerSettings):
    """As `WorkerSettings`: a model input is one face in one window."""
