"""One batch's view of the state: what it read and changed, on top of the store, until it is flushed."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from services.fusion.entries import Entry, read_entry
from services.fusion.join import JobState
from services.fusion.ports import Change, Ports, entry_key, plan_key, state_key
from shared.contracts.jobs import Planned
from shared.contracts.records import Outgoing


class Job(NamedTuple):
    partition: int
    job_id: str


class Window(NamedTuple):
    job: Job
    digest: str
    number: int

    def key(self) -> bytes:
        return entry_key(self.job.job_id, self.digest, self.number)


@dataclass
class Work:
    """`scores` and `finishing` say what is to do and under which trace; `late` whose records were late."""

    ports: Ports
    scores: dict[Window, str] = field(default_factory=dict)
    finishing: dict[Job, str] = field(default_factory=dict)
    late: list[Window] = field(default_factory=list)
    out: list[Outgoing] = field(default_factory=list)
    _states: dict[Job, JobState] = field(default_factory=dict)
    _changed: set[Job] = field(default_factory=set)
    _plans: dict[Job, Planned] = field(default_factory=dict)
    _entries: dict[Window, Entry | None] = field(default_factory=dict)

    def state(self, job: Job) -> JobState:
        if job not in self._states:
            data = self.ports.read(job.partition, state_key(job.job_id))
            self._states[job] = JobState() if data is None else JobState.from_bytes(data)
        return self._states[job]

    def set_state(self, job: Job, state: JobState) -> None:
        self._states[job] = state
        self._changed.add(job)

    def plan(self, job: Job) -> Planned | None:
        if job in self._plans:
            return self._plans[job]
        data = self.ports.read(job.partition, plan_key(job.job_id))
        return None if data is None else Planned.model_validate_json(data)

    def set_plan(self, job: Job, plan: Planned) -> None:
        self._plans[job] = plan

    def entry(self, window: Window) -> Entry | None:
        if window in self._entries:
            return self._entries[window]
        data = self.ports.read(window.job.partition, window.key())
        return None if data is None else read_entry(data)

    def set_entry(self, window: Window, entry: Entry | None) -> None:
        self._entries[window] = entry

    def changes(self) -> dict[int, list[Change]]:
        """By partition: entries, then plans, then states, since a set bit promises its entry."""
        found: dict[int, list[Change]] = defaultdict(list)
        for window, entry in self._entries.items():
            found[window.job.partition].append((window.key(), None if entry is None else entry.to_bytes()))
        for job, plan in self._plans.items():
            found[job.partition].append((plan_key(job.job_id), plan.model_dump_json().encode()))
        for job in self._changed:
            found[job.partition].append((state_key(job.job_id), self._states[job].to_bytes()))
        return found
