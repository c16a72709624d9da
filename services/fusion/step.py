"""The processing step: a batch of records to acknowledged outputs and acknowledged state.

Order, so that a crash anywhere heals by replay: window scores are published and acknowledged, then
the state that knows them is; a decided job's verdict bytes are in the state and acknowledged, then
published and acknowledged, then its state becomes a tombstone. The caller acknowledges the inputs
after `process` returns.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from services.fusion import join, verdict
from services.fusion.entries import Pending, ScoredWindow
from services.fusion.intake import take
from services.fusion.judge import Judge
from services.fusion.ports import Change, Ports, entry_key, plan_key, state_key
from services.fusion.scoring import joined, score, to_event
from services.fusion.work import Job, Window, Work
from shared.contracts.base import Modality
from shared.contracts.codec import encode
from shared.contracts.outcomes import InvalidRecord
from shared.contracts.records import Outgoing, Record
from shared.contracts.results import Verdict
from shared.messaging.dead_letters import to_dead_letter
from shared.messaging.limits import DeadLetterRatio
from shared.observability import metrics
from shared.observability.logs import bind
from shared.observability.tracing import child_of

log = logging.getLogger(__name__)
T = TypeVar("T")
BATCH = 64  # windows in one call of the model


class Fusion:
    """One at a time: the caller never runs two methods of it concurrently."""

    def __init__(self, ports: Ports, judge: Judge, limit: DeadLetterRatio) -> None:
        self._ports, self._judge, self._limit = ports, judge, limit
        self._model = asyncio.Lock()

    async def process(self, records: Sequence[Record]) -> None:
        """Raises `DeadLetterLimit`, and whatever the ports raise; then none of `records` is done."""
        work = Work(self._ports)
        for record in records:
            metrics.RECORDS_IN.labels(record.topic).inc()
            try:
                take(work, record, self._judge)
                stop = self._limit.note(dead=False)
            except InvalidRecord as error:
                work.out.append(_refused(record, error))
                stop = self._limit.note(dead=True)
            if stop is not None:
                raise stop
        await self._score(work)
        await self._flush(work)
        await self.finish(work.finishing)
        await self._sweep(work.late)

    async def finish(self, jobs: dict[Job, str]) -> None:
        """Publishes what decided jobs ask for and makes them tombstones; again where a crash cut it short."""
        await asyncio.gather(*(self._finish(job, trace) for job, trace in jobs.items()))

    async def _score(self, work: Work) -> None:
        for windows in _chunks(list(work.scores)):
            for digest in dict.fromkeys(window.digest for window in windows):
                mine = [w for w in windows if w.digest == digest]
                await self._score_some(work, digest, mine, [work.scores[w] for w in mine])

    async def _score_some(self, work: Work, digest: str, windows: list[Window], traces: list[str]) -> None:
        found = [
            (window, joined(entry, window.number, self._modalities(work, window.job)), trace)
            for window, trace in zip(windows, traces, strict=True)
            if isinstance(entry := work.entry(window), Pending)
        ]
        if not found:
            return
        metrics.BATCH_SIZE.labels("fusion").observe(len(found))
        async with self._model:
            with metrics.INFERENCE_SECONDS.labels("fusion").time():
                scored = await asyncio.to_thread(score, self._judge, digest, [j for _, j, _ in found])
        for (window, _, trace), result in zip(found, scored, strict=True):
            work.set_entry(window, result)
            work.out.append(encode(to_event(window.job.job_id, result, digest), traceparent=child_of(trace)))
            metrics.WINDOWS_SCORED.inc()

    def _modalities(self, work: Work, job: Job) -> tuple[Modality, ...]:
        plan = work.state(job).plan
        return plan.modalities if plan else ()

    async def _flush(self, work: Work) -> None:
        await self._ports.publish(work.out)
        await asyncio.gather(*(self._ports.write(p, changes) for p, changes in work.changes().items()))

    async def _finish(self, job: Job, trace: str) -> None:
        work = Work(self._ports)
        state = work.state(job)
        if state.phase != "closing":
            return
        with bind(job_id=job.job_id, traceparent=trace):
            if state.reason in ("complete", "deadline"):
                state = await self._decide(job, state, trace)
                await self._publish(state)
            tombstone = join.finished(state).to_bytes()
            last = [(plan_key(job.job_id), None), (state_key(job.job_id), tombstone)]
            await self._ports.write(job.partition, [*self._entries(job, state), *last])
            log.info("job closed", extra={"reason": state.reason})

    async def _decide(self, job: Job, state: join.JobState, trace: str) -> join.JobState:
        """The first verdict wins: once its bytes are stored, no other is ever made."""
        if state.verdict:
            return state
        body = await self._conclude(job, trace)
        state = replace(state, verdict=_pack(body, child_of(trace)))
        await self._ports.write(job.partition, [(state_key(job.job_id), state.to_bytes())])
        return state

    async def _publish(self, state: join.JobState) -> None:
        body, out = _unpack(state.verdict)
        await self._ports.publish([out])
        metrics.VERDICTS.labels(body.verdict or body.outcome).inc()

    async def _conclude(self, job: Job, trace: str) -> Verdict:
        plan = Work(self._ports).plan(job)
        if plan is None:
            return verdict.unplanned(job.job_id)
        windows: list[ScoredWindow | None] = []
        for indices in _chunks(range(plan.windows)):
            work = Work(self._ports)
            found = [Window(job, plan.bundle_digest, i) for i in indices]
            if self._judge.knows(plan.bundle_digest):
                await self._score_some(work, plan.bundle_digest, found, [trace] * len(found))
                await self._flush(work)
            entries = [work.entry(window) for window in found]
            windows += [e if isinstance(e, ScoredWindow) else None for e in entries]
        return await asyncio.to_thread(verdict.build, job.job_id, plan, windows, self._judge)

    def _entries(self, job: Job, state: join.JobState) -> list[Change]:
        """Deletions of all there may be; a crash can leave entries that no bit tells of."""
        keys = {entry_key(job.job_id, digest, i) for digest, i in join.entries(state)}
        if state.plan is not None:
            planned = (entry_key(job.job_id, state.plan.digest, i) for i in range(state.plan.windows))
            keys |= {key for key in planned if self._ports.read(job.partition, key) is not None}
        return [(key, None) for key in sorted(keys)]

    async def _sweep(self, late: Sequence[Window]) -> None:
        """Likewise, where the job was closed before the entry's record came again."""
        for window in late:
            if self._ports.read(window.job.partition, window.key()) is not None:
                await self._ports.write(window.job.partition, [(window.key(), None)])


def _refused(record: Record, error: InvalidRecord) -> Outgoing:
    metrics.DEAD_LETTERS.labels(record.topic, error.reason).inc()
    log.warning("dead letter: %s", error, extra={"topic": record.topic, "offset": record.offset})
    return to_dead_letter(record, "fusion", error.reason, error.detail, attempts=1)


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[i : i + BATCH] for i in range(0, len(items), BATCH))


def _pack(body: Verdict, traceparent: str) -> bytes:
    return traceparent.encode() + b"\n" + (encode(body).value or b"")


def _unpack(data: bytes) -> tuple[Verdict, Outgoing]:
    """The verdict's record, with the very bytes that were stored."""
    traceparent, _, value = data.partition(b"\n")
    body = Verdict.model_validate_json(value)
    return body, replace(encode(body, traceparent=traceparent.decode()), value=value)
