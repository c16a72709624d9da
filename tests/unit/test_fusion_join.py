"""The counted join against a reference model that remembers everything and is obviously right."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fusion import join
from services.fusion.join import CountDuplicate, CountLate, Finish, Forget, JobState, Keep, Plan, Score
from shared.contracts.base import Modality
from shared.contracts.outcomes import InvalidRecord

VIDEO: Modality = "video"
AUDIO: Modality = "audio"
BOTH = (VIDEO, AUDIO)


@dataclass(frozen=True)
class Rec:
    digest: str
    window: int
    modality: Modality


@dataclass(frozen=True)
class Say:
    what: str  # cancel, deadline, rejected


Fact = Rec | Say | Plan


@dataclass
class Model:
    """Sets, no bitmaps; decided once."""

    plan: Plan | None = None
    seen: set[Rec] = field(default_factory=set)
    decided: tuple[str, frozenset[Rec]] | None = None
    duplicates: int = 0
    late: int = 0
    refused: int = 0

    def feed(self, fact: Fact) -> None:
        if self.decided is not None:
            self.late += 1
        elif isinstance(fact, Plan):
            if self.plan is None:
                self.plan = fact
                self.seen = {r for r in self.seen if self._planned(r)}
            else:
                self.duplicates += 1
        elif isinstance(fact, Say):
            self._decide(fact.what)
        elif self.plan is not None and not self._planned(fact):
            self.refused += 1
        elif fact in self.seen:
            self.duplicates += 1
        else:
            self.seen.add(fact)
        plan = self.plan
        if plan and self.decided is None and len(self.seen) == plan.windows * len(plan.modalities):
            self._decide("complete")

    def _planned(self, r: Rec) -> bool:
        plan = self.plan
        assert plan is not None
        return r.digest == plan.digest and r.window < plan.windows and r.modality in plan.modalities

    def _decide(self, reason: str) -> None:
        self.decided = (reason, frozenset(self.seen))


@dataclass
class Harness:
    """The join with its caller's duties done the simplest way; every state goes through its bytes."""

    state: JobState = field(default_factory=JobState)
    kept: set[Rec] = field(default_factory=set)
    scored: list[int] = field(default_factory=list)
    decided: tuple[str, frozenset[Rec]] | None = None
    duplicates: int = 0
    late: int = 0
    refused: int = 0

    def feed(self, fact: Fact) -> None:
        try:
            state, actions = step(self.state, fact)
        except InvalidRecord:
            self.refused += 1
            return
        self.state = JobState.from_bytes(state.to_bytes())
        assert self.state == state
        for action in actions:
            self._act(action)

    def _act(self, action: join.Action) -> None:
        match action:
            case Keep(digest, window, modality):
                self.kept.add(Rec(digest, window, modality))
            case Score(_, windows):
                self.scored += windows
            case Forget(digest, windows):
                self.kept = {r for r in self.kept if r.digest != digest or r.window not in windows}
            case Finish():
                plan = self.state.plan
                mine = {r for r in self.kept if plan is None or r.modality in plan.modalities}
                assert self.decided is None or self.state.phase == "closing"
                self.decided = self.decided or (self.state.reason, frozenset(mine))
                self.state = join.finished(self.state)
            case CountDuplicate():
                self.duplicates += 1
            case CountLate():
                self.late += 1


def step(state: JobState, fact: Fact) -> join.Step:
    if isinstance(fact, Rec):
        return join.on_record(state, fact.digest, fact.window, fact.modality)
    if isinstance(fact, Plan):
        return join.on_plan(state, fact)
    ends = {"cancel": join.on_cancel, "deadline": join.on_deadline, "rejected": join.on_rejected}
    return ends[fact.what](state)


def expected(model: Model) -> tuple[str, frozenset[Rec]] | None:
    if model.decided is None:
        return None
    reason, seen = model.decided
    return {"cancel": "cancelled"}.get(reason, reason), seen


modalities = st.sampled_from([BOTH, (VIDEO,), (AUDIO,)])
plans = st.builds(Plan, st.integers(1, 5), modalities, st.just("a"))


def planned(plan: Plan) -> list[Fact]:
    return [Rec(plan.digest, w, m) for w in range(plan.windows) for m in plan.modalities]


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    """A plan, its records with losses and repeats, strays of every kind, ends, in any order."""
    plan = draw(plans)
    facts: list[Fact] = [plan]
    facts += [r for r in planned(plan) if draw(st.integers(0, 9)) > 0]
    facts += draw(st.lists(st.sampled_from(facts), max_size=4))
    stray = st.builds(Rec, st.sampled_from("ab"), st.integers(0, 7), st.sampled_from(BOTH))
    facts += draw(st.lists(stray, max_size=3))
    facts += draw(st.lists(st.sampled_from([Say("cancel"), Say("deadline"), Say("rejected")]), max_size=1))
    return draw(st.permutations(facts))


@given(histories())
def test_it_does_what_the_reference_model_does(history: list[Fact]) -> None:
    model, harness = Model(), Harness()
    for fact in history:
        model.feed(fact)
        harness.feed(fact)
    assert harness.decided == expected(model)
    assert harness.duplicates == model.duplicates
    assert harness.late == model.late
    assert harness.refused == model.refused


@given(histories())
def test_no_window_is_scored_twice_or_before_its_records_are_there(history: list[Fact]) -> None:
    harness = Harness()
    for fact in history:
        harness.feed(fact)
    assert len(harness.scored) == len(set(harness.scored))
    if harness.scored:
        assert any(isinstance(fact, Plan) for fact in history)


@given(plans.flatmap(lambda plan: st.permutations([plan, *planned(plan)])))
def test_without_loss_any_order_completes_with_the_same_records(history: list[Fact]) -> None:
    harness = Harness()
    for fact in history:
        assert harness.decided is None
        harness.feed(fact)
    plan = next(fact for fact in history if isinstance(fact, Plan))
    assert harness.decided == ("complete", frozenset(planned(plan)))
    assert harness.state.phase == "done"


@given(histories(), st.data())
def test_every_fact_in_closing_asks_to_finish_again(history: list[Fact], data: st.DataObject) -> None:
    state = JobState()
    for fact in history:
        try:
            state, _ = step(state, fact)
        except InvalidRecord:
            continue
        if state.phase == "closing":
            again, actions = step(state, data.draw(st.sampled_from(history)))
            assert again == state
            assert Finish() in actions
            return


def test_the_first_plan_wins() -> None:
    state, _ = join.on_plan(JobState(), Plan(2, BOTH, "a"))
    assert join.on_plan(state, Plan(9, (VIDEO,), "b")) == (state, (CountDuplicate(),))


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (Rec("b", 0, VIDEO), "wrong_bundle"),
        (Rec("a", 2, VIDEO), "window_out_of_range"),
        (Rec("a", 0, AUDIO), "unplanned_modality"),
    ],
)
def test_what_the_plan_does_not_know_is_refused_by_name(record: Rec, reason: str) -> None:
    state, _ = join.on_plan(JobState(), Plan(2, (VIDEO,), "a"))
    with pytest.raises(InvalidRecord, match=reason):
        step(state, record)


def test_before_the_plan_only_absurd_windows_are_refused() -> None:
    with pytest.raises(InvalidRecord, match="window_out_of_range"):
        join.on_record(JobState(), "a", join.MAX_WINDOWS, VIDEO)


def test_before_the_plan_bundles_are_kept_apart_and_their_number_bounded() -> None:
    state = JobState()
    for digest in "abcd":
        state, _ = join.on_record(state, digest, 0, VIDEO)
    with pytest.raises(InvalidRecord, match="wrong_bundle"):
        join.on_record(state, "e", 0, VIDEO)
    _, actions = join.on_plan(state, Plan(1, (VIDEO,), "c"))
    assert actions == (Forget("a", (0,)), Forget("b", (0,)), Forget("d", (0,)), Finish())


def test_a_state_of_two_hours_stays_small() -> None:
    state, _ = join.on_plan(JobState(), Plan(7200, BOTH, "a" * 64))
    for window in range(0, 7199):
        state, _ = join.on_record(state, "a" * 64, window, VIDEO)
    assert len(state.to_bytes()) < 2_500


def test_a_state_of_a_newer_release_is_refused() -> None:
    with pytest.raises(ValueError, match="newer"):
        JobState.from_bytes(JobState().to_bytes().replace(b'"v":1', b'"v":2'))
