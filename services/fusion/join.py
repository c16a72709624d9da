"""The counted join: a job is complete when every planned window has one record per planned modality.

Pure: no Kafka, no clock, no torch, no tensors. Each function takes a job's state and one fact and
returns the next state and what the caller must do, in order. Scores and halves that wait for their
twin are the caller's, one entry a window; the state holds only bitmaps.

A job goes `open` -> `closing` (its fate is decided) -> `done` (a tombstone). Nothing that comes
after the decision changes it; repeating any fact in `closing` asks for `Finish` again, so that a
crash between the decision and its publication heals by the replay of its cause.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from services.fusion.state import JobState, Plan, Received
from shared.contracts.base import Modality
from shared.contracts.outcomes import InvalidRecord

MAX_WINDOWS = 24 * 3600  # of a job that has no plan yet
MAX_DIGESTS = 4  # likewise


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep this record's content in the window's entry."""

    digest: str
    window: int
    modality: Modality


@dataclass(frozen=True, slots=True)
class Score:
    """Every planned record of these windows is there: score them and publish."""

    digest: str
    windows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Forget:
    """Delete these windows' entries: the plan does not know them."""

    digest: str
    windows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Finish:
    """The job is decided: publish what its reason asks for, clean up, call `finished`."""


@dataclass(frozen=True, slots=True)
class CountLate:
    """The record came after the decision; it changes nothing."""


@dataclass(frozen=True, slots=True)
class CountDuplicate:
    """The record came before; it changes nothing."""


Action = Keep | Score | Forget | Finish | CountLate | CountDuplicate
Step = tuple[JobState, tuple[Action, ...]]


def on_record(state: JobState, digest: str, window: int, modality: Modality) -> Step:
    """One embedding record. Raises `InvalidRecord`: wrong_bundle, window_out_of_range, unplanned_modality."""
    if state.phase != "open":
        return _too_late(state)
    _refuse(state, digest, window, modality)
    seen = state.received_of(digest)
    if seen.has(modality, window):
        return state, (CountDuplicate(),)
    state = state.with_received(seen.add(modality, window))
    keep = Keep(digest, window, modality)
    if state.plan is None:
        return state, (keep,)
    joined = state.received_of(digest).joined(state.plan.modalities)
    if joined == _all(state.plan):
        return _closing(state, "complete"), (keep, Score(digest, (window,)), Finish())
    if joined >> window & 1:
        return state, (keep, Score(digest, (window,)))
    return state, (keep,)


def on_plan(state: JobState, plan: Plan) -> Step:
    """The first plan of a job wins; records that it does not know are forgotten."""
    if state.phase != "open":
        return _too_late(state)
    if state.plan is not None:
        return state, (CountDuplicate(),)
    forget = tuple(
        Forget(other.digest, tuple(_bits(other.any())))
        for other in state.received if other.digest != plan.digest
    )
    mine = state.received_of(plan.digest)
    kept = mine.only(_all(plan), plan.modalities)
    stray = mine.any() & ~kept.any()
    if stray:
        forget += (Forget(plan.digest, tuple(_bits(stray))),)
    state = replace(state, plan=plan, received=(kept,))
    joined = kept.joined(plan.modalities)
    if joined == _all(plan):
        return _closing(state, "complete"), (*forget, Finish())
    score = (Score(plan.digest, tuple(_bits(joined))),) if joined else ()
    return state, (*forget, *score)


def on_cancel(state: JobState) -> Step:
    """Closes the job without a verdict."""
    return _close(state, "cancelled")


def on_rejected(state: JobState) -> Step:
    """Planning refused the media: the planner has told the job's end, so there is no verdict."""
    return _close(state, "rejected")


def on_deadline(state: JobState) -> Step:
    """Closes the job with what is there, even if that is nothing."""
    return _close(state, "deadline")


def finished(state: JobState) -> JobState:
    """The tombstone."""
    return JobState(phase="done", reason=state.reason, touched_ms=state.touched_ms)


def entries(state: JobState) -> Iterator[tuple[str, int]]:
    """(digest, window) of every window that may have an entry."""
    for received in state.received:
        for window in _bits(received.any()):
            yield received.digest, window


def waiting(state: JobState) -> int:
    """Windows of a planned job that have some of their records."""
    if state.plan is None:
        return sum(received.any().bit_count() for received in state.received)
    received = state.received_of(state.plan.digest)
    return (received.any() & ~received.joined(state.plan.modalities)).bit_count()


def _close(state: JobState, reason: str) -> Step:
    if state.phase != "open":
        return _too_late(state)
    return _closing(state, reason), (Finish(),)


def _closing(state: JobState, reason: str) -> JobState:
    return replace(state, phase="closing", reason=reason)


def _too_late(state: JobState) -> Step:
    return state, (CountLate(), Finish()) if state.phase == "closing" else (CountLate(),)


def _refuse(state: JobState, digest: str, window: int, modality: Modality) -> None:
    plan = state.plan
    if plan is None:
        if not 0 <= window < MAX_WINDOWS:
            raise InvalidRecord("window_out_of_range", f"{window} of at most {MAX_WINDOWS}")
        known = {received.digest for received in state.received}
        if digest not in known and len(known) >= MAX_DIGESTS:
            raise InvalidRecord("wrong_bundle", f"{digest}: records of {len(known)} other bundles came first")
        return
    if digest != plan.digest:
        raise InvalidRecord("wrong_bundle", f"{digest}, but the job is planned with {plan.digest}")
    if not 0 <= window < plan.windows:
        raise InvalidRecord("window_out_of_range", f"{window} of {plan.windows}")
    if modality not in plan.modalities:
        raise InvalidRecord("unplanned_modality", modality)


def _all(plan: Plan) -> int:
    return (1 << plan.windows) - 1


def _bits(bitmap: int) -> Iterator[int]:
    text = bin(bitmap)[:1:-1]
    return (i for i, bit in enumerate(text) if bit == "1")


__all__ = [
    "Action", "CountDuplicate", "CountLate", "Finish", "Forget", "JobState", "Keep", "Plan", "Received",
    "Score", "Step", "entries", "finished", "on_cancel", "on_deadline", "on_plan", "on_record", "on_rejected",
    "waiting",
]
