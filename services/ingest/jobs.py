"""Jobs as this replica knows them, brought up to the topics' ends where that matters."""

from services.ingest.read_model import Follower, JobState, ReadModel


class CurrentJobs:
    """Satisfies `planner.Jobs`."""

    def __init__(self, model: ReadModel, follower: Follower, timeout_s: float) -> None:
        self._model, self._follower, self._timeout_s = model, follower, timeout_s

    def current(self, job_id: str) -> JobState | None:
        """The job as of now. Raises `Transient` if the topics' ends are not reached in time."""
        self._follower.catch_up(self._timeout_s)
        return self._model.get(job_id)

    def known(self, job_id: str) -> JobState | None:
        """The job, as of now only if this replica had never heard of it. Raises `Transient`."""
        return self._model.get(job_id) or self.current(job_id)
