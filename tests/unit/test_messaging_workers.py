"""What becomes of each record: the loop's inside, without a broker."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.contracts.codec import Message
from shared.contracts.jobs import Cancelled
from shared.contracts.outcomes import InvalidRecord, Transient
from shared.contracts.records import Outgoing
from shared.contracts.topics import DEAD_LETTERS, JOB_CONTROL
from shared.messaging.handlers import FINISHED, Handler, Step, Task, one_by_one
from shared.messaging.limits import DeadLetterLimit
from shared.messaging.loop_settings import LoopSettings
from tests.support.messaging import PATIENCE_S, eventually
from tests.support.messaging_fakes import QUICK, Bench, FakeProducer


@contextmanager
def bench(
    handler: Handler, producer: FakeProducer | None = None, settings: LoopSettings = QUICK,
    deadline: datetime | None = None,
) -> Iterator[Bench]:
    made = Bench(handler, producer, settings, deadline)
    try:
        yield made
    finally:
        made.close()


def echo(task: Task) -> Iterator[Message]:
    yield Cancelled(job_id=task.job_id)


def failing(error: Exception, times: int) -> tuple[Callable[[Task], Iterator[Message]], list[int]]:
    """A step that fails `times` times, then echoes; and the attempts it saw."""
    tried: list[int] = []

    def handle(task: Task) -> Iterator[Message]:
        tried.append(1)
        if len(tried) <= times:
            raise error
        yield from echo(task)

    return handle, tried


def test_a_record_is_finished_when_its_outputs_are_acknowledged() -> None:
    producer = FakeProducer(hold=True)
    with bench(one_by_one(echo), producer) as on:
        on.put("a")
        eventually(lambda: len(producer.sent) == 1, "sent")
        assert on.lease.position is None
        assert on.workers.busy.total() == 1
        producer.acknowledge()
        on.wait_position(1)


def test_a_record_without_outputs_is_finished_at_once() -> None:
    with bench(one_by_one(lambda task: [])) as on:
        on.put("a", "b")
        on.wait_position(2)
    assert on.producer.sent == []


def test_an_undelivered_output_repeats_the_record() -> None:
    producer = FakeProducer(hold=True)
    with bench(one_by_one(echo), producer) as on:
        on.put("a")
        eventually(lambda: len(producer.sent) == 1, "sent")
        producer.acknowledge(Transient("broker"))
        eventually(lambda: len(producer.sent) == 2, "sent again")
        producer.acknowledge()
        on.wait_position(1)


def test_a_full_producer_is_transient() -> None:
    producer = FakeProducer()
    refusals = iter([Transient("full"), Transient("full"), None])
    producer.refuse = lambda out: next(refusals, None)
    with bench(one_by_one(echo), producer) as on:
        on.put("a")
        on.wait_position(1)
    assert producer.topics() == [JOB_CONTROL.name]


def test_an_invalid_record_is_dead_lettered_at_its_first_attempt() -> None:
    handle, tried = failing(InvalidRecord("wrong_bundle", "made with another"), 9)
    with bench(one_by_one(handle)) as on:
        on.put("a")
        on.wait_position(1)
    (letter,) = on.producer.sent
    headers = dict(letter.headers)
    assert letter.topic == DEAD_LETTERS.name
    assert (letter.key, letter.value) == (b"a", b"{}")
    assert headers["dl_reason"] == b"wrong_bundle"
    assert headers["dl_detail"] == b"made with another"
    assert tried == [1]


def test_transient_faults_without_a_deadline_are_tried_for_ever() -> None:
    handle, tried = failing(Transient("away"), 30)
    with bench(one_by_one(handle)) as on:
        on.put("a")
        on.wait_position(1)
    assert len(tried) == 31


def test_transient_faults_end_at_the_deadline_without_a_dead_letter() -> None:
    handle, tried = failing(Transient("away"), 10**9)
    soon = datetime.now(UTC) + timedelta(seconds=0.2)
    with bench(one_by_one(handle), settings=replace(QUICK, retry_base_s=3600, retry_max_s=3600),
               deadline=soon) as on:
        on.put("a")
        on.wait_position(1)
        assert datetime.now(UTC) >= soon
    assert len(tried) >= 2  # the last one at the deadline, though the back-off was an hour
    assert on.producer.sent == []


def test_unexpected_errors_are_dead_lettered_after_max_attempts() -> None:
    handle, tried = failing(ZeroDivisionError("oops"), 9)
    with bench(one_by_one(handle), settings=replace(QUICK, max_attempts=4)) as on:
        on.put("a")
        on.wait_position(1)
    headers = dict(on.producer.sent[0].headers)
    assert (headers["dl_reason"], headers["dl_error"]) == (b"unexpected", b"ZeroDivisionError")
    assert headers["dl_attempts"] == b"4"
    assert len(tried) == 4


def test_a_dead_letter_that_does_not_go_out_is_tried_again() -> None:
    handle, _ = failing(InvalidRecord("bad"), 10**9)
    producer = FakeProducer()
    outcomes = iter([Transient("away"), Transient("away")])
    producer.fail = lambda out: next(outcomes, None)
    with bench(one_by_one(handle), producer, replace(QUICK, dead_letter_minimum=2)) as on:
        on.put("a")
        on.wait_position(1)
        assert on.workers.failure is None  # one record is one dead letter, however often it is sent
    assert producer.topics() == [DEAD_LETTERS.name] * 3


def test_a_batch_holds_tasks_of_several_jobs_and_finishes_them_apart() -> None:
    sizes: list[int] = []
    hold = threading.Event()

    def handler(tasks: Sequence[Task]) -> Iterator[Step]:
        sizes.append(len(tasks))
        yield 0, FINISHED
        yield 2, Cancelled(job_id=tasks[2].job_id)
        yield 2, FINISHED
        hold.wait(PATIENCE_S)

    with bench(handler, settings=replace(QUICK, max_batch=3, linger_s=PATIENCE_S)) as on:
        on.put("a", "b", "c")
        on.wait_position(1)
        eventually(lambda: on.lease.unfinished == 1, "only b is left")
        hold.set()
        on.wait_position(3)
    assert sizes == [3]


def test_an_error_out_of_a_batch_runs_the_unfinished_one_by_one() -> None:
    batches: list[list[str]] = []

    def handler(tasks: Sequence[Task]) -> Iterator[Step]:
        batches.append([task.job_id for task in tasks])
        for index, task in enumerate(tasks):
            if task.job_id == "poison":
                raise RuntimeError("a defect")
            yield index, FINISHED

    with bench(handler, settings=replace(QUICK, max_batch=4, linger_s=PATIENCE_S, max_attempts=1)) as on:
        on.put("a", "poison", "b", "c")
        on.wait_position(4)
    assert batches == [["a", "poison", "b", "c"], ["poison"], ["b"], ["c"]]
    assert on.producer.topics() == [DEAD_LETTERS.name]


def test_a_transient_error_out_of_a_batch_repeats_the_unfinished() -> None:
    seen: list[str] = []

    def handler(tasks: Sequence[Task]) -> Iterator[Step]:
        first = not seen
        seen.extend(task.job_id for task in tasks)
        if first:
            yield 0, FINISHED
            raise Transient("the store is away")

    with bench(handler, settings=replace(QUICK, max_batch=2, linger_s=0.05)) as on:
        on.put("a", "b")
        on.wait_position(2)
    assert sorted(seen) == ["a", "b", "b"]
    assert on.producer.sent == []


def test_late_results_of_a_revoked_partition_are_ignored() -> None:
    hold, closed = threading.Event(), threading.Event()

    def handler(tasks: Sequence[Task]) -> Iterator[Step]:
        try:
            hold.wait(PATIENCE_S)
            yield 0, Cancelled(job_id="late")
            yield 0, Cancelled(job_id="later")
        finally:
            closed.set()

    with bench(handler) as on:
        on.put("a")
        eventually(lambda: on.workers.busy.total() == 1, "begun")
        on.lease.revoke()
        hold.set()
        assert closed.wait(PATIENCE_S)
        eventually(lambda: on.workers.busy.total() == 0, "given up")
    assert on.producer.sent == []
    assert on.lease.position is None


def test_the_dead_letter_limit_leaves_the_rest_uncommitted() -> None:
    handle, _ = failing(InvalidRecord("bad"), 10**9)
    with bench(one_by_one(handle), settings=replace(QUICK, dead_letter_minimum=3)) as on:
        on.put(*"abcdefgh")
        eventually(lambda: on.workers.failure is not None, "the limit")
    assert isinstance(on.workers.failure, DeadLetterLimit)
    assert len(on.producer.sent) == 3
    assert on.lease.position == 3


def test_an_output_of_an_unknown_kind_is_an_unexpected_error() -> None:
    def handler(tasks: Sequence[Task]) -> Iterator[Step]:
        yield 0, "nonsense"  # type: ignore[misc]  # what a defect would do

    with bench(handler) as on:
        on.put("a")
        on.wait_position(1)
    assert dict(on.producer.sent[0].headers)["dl_reason"] == b"unexpected"


def test_outputs_carry_the_trace_of_their_input() -> None:
    with bench(one_by_one(echo)) as on:
        on.put("a")
        on.wait_position(1)
    out: Outgoing = on.producer.sent[0]
    assert dict(out.headers)["traceparent"].startswith(b"00-")  # type: ignore[union-attr]  # it is there
