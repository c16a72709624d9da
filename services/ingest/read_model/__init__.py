"""What this replica knows of all jobs: the topics folded into SQLite."""

from services.ingest.read_model.follower import Follower
from services.ingest.read_model.model import ReadModel
from services.ingest.read_model.state import JobState, Summary

__all__ = ["Follower", "JobState", "ReadModel", "Summary"]
