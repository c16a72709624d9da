"""One record to the join and its actions to the batch's work. No waiting, no publishing."""

import logging
from dataclasses import replace

from services.fusion import join
from services.fusion.entries import Pending
from services.fusion.judge import Judge
from services.fusion.scoring import check
from services.fusion.work import Job, Window, Work
from shared.contracts.codec import TRACEPARENT, decode
from shared.contracts.embeddings import Embedding
from shared.contracts.jobs import Cancelled, DeadlinePassed, Planned, Rejected
from shared.contracts.outcomes import InvalidRecord
from shared.contracts.records import Record
from shared.observability import metrics
from shared.observability.logs import bind

log = logging.getLogger(__name__)
Taken = Embedding | Planned | Cancelled | DeadlinePassed | Rejected


def take(work: Work, record: Record, judge: Judge) -> None:
    """Raises `InvalidRecord`, before anything of `work` has changed."""
    message = _read(record)
    job = Job(record.partition, message.job_id)
    state = work.state(job)
    after, actions = _join(state, message, judge)
    trace = record.header(TRACEPARENT) or ""
    if after != state:
        work.set_state(job, replace(after, touched_ms=record.timestamp_ms or state.touched_ms))
    if isinstance(message, Planned) and after.plan is not None and state.plan is None:
        work.set_plan(job, message)
    with bind(job_id=message.job_id, traceparent=trace):
        for action in actions:
            _act(work, job, message, record.value or b"", action, trace)


def _read(record: Record) -> Taken:
    try:
        message = decode(record)
    except InvalidRecord:
        raise
    except Exception as error:  # a record that breaks our decoder must not stop its partition
        raise InvalidRecord("unexpected", repr(error)) from error
    if not isinstance(message, Taken):
        raise InvalidRecord("unexpected_type", f"{type(message).__name__} on {record.topic}")
    if record.key != message.job_id.encode():
        raise InvalidRecord("wrong_key", f"the key is not the job's id {message.job_id}"[:300])
    if isinstance(message, Embedding):
        check(message)
    return message


def _join(state: join.JobState, message: Taken, judge: Judge) -> join.Step:
    if isinstance(message, Embedding):
        if state.phase == "open" and not judge.knows(message.bundle_digest):
            raise InvalidRecord("wrong_bundle", f"{message.bundle_digest} is not loaded")
        return join.on_record(state, message.bundle_digest, message.window_index, message.modality)
    if isinstance(message, Planned):
        plan = join.Plan(message.windows, message.modalities, message.bundle_digest)
        return join.on_plan(state, plan)
    if isinstance(message, Cancelled):
        return join.on_cancel(state)
    return join.on_deadline(state) if isinstance(message, DeadlinePassed) else join.on_rejected(state)


def _act(work: Work, job: Job, message: Taken, value: bytes, action: join.Action, trace: str) -> None:
    match action:
        case join.Keep(digest, index, modality):
            window = Window(job, digest, index)
            entry = work.entry(window) or Pending()
            if isinstance(entry, Pending):  # scored already: a crash came before its bit was set
                work.set_entry(window, entry.with_half(modality, value))
        case join.Score(digest, windows):
            work.scores.update({Window(job, digest, index): trace for index in windows})
        case join.Forget(digest, windows):
            log.warning("%d windows came that the plan does not know", len(windows))
            for index in windows:
                work.set_entry(Window(job, digest, index), None)
        case join.Finish():
            work.finishing[job] = trace
        case join.CountDuplicate():
            metrics.JOIN_DUPLICATES.inc()
        case join.CountLate():
            metrics.JOIN_LATE.inc()
            if isinstance(message, Embedding):
                work.late.append(Window(job, message.bundle_digest, message.window_index))
