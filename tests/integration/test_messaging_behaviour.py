"""What the loop promises, on librdkafka's mock broker and on Apache Kafka."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from shared.contracts.codec import Message
from shared.contracts.jobs import Cancelled
from shared.contracts.outcomes import Transient
from shared.contracts.records import Outgoing
from shared.messaging.dead_letters import restore
from shared.messaging.handlers import FINISHED, Step, Task, one_by_one
from shared.messaging.loop import DeadLetterLimit
from shared.messaging.settings import KafkaSettings
from tests.support.messaging import FAST, PATIENCE_S, Rig, eventually, mock_broker, rig
from tests.support.messaging_service import service

JOBS = 40
PARTITIONS = 4  # what the mock broker gives every topic


@pytest.fixture(params=["mock", pytest.param("kafka", marks=pytest.mark.kafka)])
def on(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """A fresh topic with 4 partitions on each kind of broker."""
    if request.param == "mock":
        _alive, bootstrap = mock_broker()
    else:
        bootstrap = request.getfixturevalue("kafka_bootstrap")
    with rig(KafkaSettings(bootstrap_servers=bootstrap), PARTITIONS, mock=request.param == "mock") as made:
        yield made


def echo(task: Task) -> Iterator[Message]:
    yield Cancelled(job_id=task.job_id)


def test_everything_arrives_and_is_committed(on: Rig) -> None:
    on.send_jobs(JOBS)
    with on.loop(one_by_one(echo), replace(FAST, workers=3, max_batch=4)):
        eventually(on.all_committed, "all committed")
    assert sorted(on.outputs()) == sorted(on.job(n) for n in range(JOBS))
    assert on.letters() == []


def test_outputs_go_out_before_their_task_is_finished(on: Rig) -> None:
    on.send_jobs(1)
    hold = threading.Event()

    def handler(tasks: Sequence[Task]) -> Iterator[Step]:
        yield 0, Cancelled(job_id=tasks[0].job_id)
        hold.wait(PATIENCE_S)

    with on.loop(handler):
        eventually(lambda: on.outputs() == [on.job(0)], "the first output")
        assert on.committed() == {}
        hold.set()
        eventually(on.all_committed, "committed after the rest")


def test_traces_go_from_input_to_output(on: Rig) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    sent = on.event(0)
    header = ("traceparent", f"00-{trace}-00f067aa0ba902b7-01".encode())
    on.send(replace(sent, headers=(*sent.headers, header)))
    with on.loop(one_by_one(echo)):
        eventually(lambda: on.job(0) in on.outputs(), "the output")
    found = [r for r in on.records("job-control-v1") if r.key == on.job(0).encode()]
    parent = found[0].header("traceparent") or ""
    assert parent.split("-")[1] == trace
    assert parent.split("-")[2] != "00f067aa0ba902b7"


def test_finishing_out_of_order_commits_contiguously(on: Rig) -> None:
    on.send_jobs(5, partition=0)
    hold, seen = threading.Event(), []

    def handle(task: Task) -> Iterator[Message]:
        if task.job_id == on.job(1):
            hold.wait(PATIENCE_S)
        seen.append(task.job_id)
        yield Cancelled(job_id=task.job_id)

    with on.loop(one_by_one(handle), replace(FAST, workers=2)):
        eventually(lambda: len(seen) == 4, "all but the held one")
        eventually(lambda: on.committed() == {0: 1}, "the one before it")
        assert on.committed() == {0: 1}
        hold.set()
        eventually(lambda: on.committed() == {0: 5}, "all at once")


def test_a_kill_before_the_commit_redelivers(on: Rig, tmp_path: Path) -> None:
    on = on.noticing_kills()
    on.send_jobs(10, partition=0)
    with service(on, hold_job=on.job(3), hold_file=tmp_path / "go") as (process, lines):
        eventually(lambda: on.job(3) in lines, "the held job begun")
        process.kill()
    assert on.committed().get(0, 0) <= 3
    with on.loop(one_by_one(echo)):
        eventually(on.all_committed, "the rest, after the session timed out")
    assert set(on.outputs()) == {on.job(n) for n in range(10)}


def test_sigterm_finishes_what_is_in_flight(on: Rig, tmp_path: Path) -> None:
    on.send_jobs(10, partition=0)
    with service(on, hold_job=on.job(3), hold_file=tmp_path / "go") as (process, lines):
        eventually(lambda: on.job(3) in lines, "the held job begun")
        process.terminate()
        (tmp_path / "go").touch()
        assert process.wait(PATIENCE_S) == 0
        eventually(lambda: "stopped" in lines, "its last word")
    begun = len(lines) - 1
    assert on.committed() == {0: begun}
    assert sorted(on.outputs()) == [on.job(n) for n in range(begun)]


def test_stop_does_not_wait_for_retries(on: Rig) -> None:
    on.send_jobs(1)

    tried: list[int] = []

    def handle(task: Task) -> list[Message]:
        tried.append(1)
        raise Transient("away")

    with on.loop(one_by_one(handle), replace(FAST, retry_base_s=3600, retry_max_s=3600)) as running:
        eventually(lambda: tried == [1], "the first attempt")
        running.finish()
    assert on.committed() == {}


def test_a_rebalance_in_the_middle_loses_nothing(on: Rig) -> None:
    on.send_jobs(JOBS)
    hold = threading.Event()
    shares: tuple[list[str], list[str]] = ([], [])

    def member(number: int) -> Callable[[Task], Iterator[Message]]:
        def handle(task: Task) -> Iterator[Message]:
            hold.wait(0.05 if shares[number] else PATIENCE_S)
            shares[number].append(task.job_id)
            yield Cancelled(job_id=task.job_id)

        return handle

    batch = replace(FAST, max_batch=4, revoke_drain_s=0.2)
    with on.loop(one_by_one(member(0)), batch) as first:
        eventually(first.ready, "the first member")
        with on.loop(one_by_one(member(1)), batch) as second:
            eventually(second.ready, "the second member")
            on.send(*(on.event(n) for n in range(JOBS, 2 * JOBS)))
            hold.set()
            eventually(on.all_committed, "all committed")
    assert set(on.outputs()) == {on.job(n) for n in range(2 * JOBS)}
    assert shares[1]


def test_poison_is_dead_lettered_and_the_rest_flows(on: Rig) -> None:
    good = [replace(on.event(n), partition=0) for n in range(3)]
    poison = Outgoing(on.topic, b"k", b"\x00 no event", (("x", b"1"), ("x", None)), partition=0)
    on.send(good[0], poison, good[1], replace(good[2], value=None), good[2])
    with on.loop(one_by_one(echo), replace(FAST, max_batch=5)):
        eventually(lambda: on.committed() == {0: 5}, "all committed")
    assert set(on.outputs()) == {on.job(n) for n in range(3)}
    first, second = sorted(on.letters(), key=lambda letter: letter.offset)
    assert (first.partition, first.offset, first.reason, first.attempts) == (0, 1, "not_cloudevent", 1)
    assert (first.service, first.error) == (on.group, "InvalidRecord")
    assert (second.offset, second.reason) == (3, "tombstone")


def test_an_unexpected_error_is_tried_and_dead_lettered_alone(on: Rig) -> None:
    on.send_jobs(6, partition=0)
    tried: list[int] = []

    def handler(tasks: Sequence[Task]) -> Iterator[Step]:
        for index, task in enumerate(tasks):
            if task.job_id == on.job(2):
                tried.append(len(tasks))
                raise RuntimeError("a defect, password=hunter2")
            yield index, Cancelled(job_id=task.job_id)
            yield index, FINISHED

    with on.loop(handler, replace(FAST, max_batch=6, linger_s=0.5)):
        eventually(lambda: on.committed() == {0: 6}, "all committed")
    assert set(on.outputs()) == {on.job(n) for n in (0, 1, 3, 4, 5)}
    (letter,) = on.letters()
    assert (letter.reason, letter.error, letter.offset) == ("unexpected", "RuntimeError", 2)
    assert "defect" in letter.detail
    assert "hunter2" not in letter.detail
    assert tried[-FAST.max_attempts:] == [1] * FAST.max_attempts


def test_a_transient_fault_is_tried_until_it_passes(on: Rig) -> None:
    on.send_jobs(4, partition=0)
    tried: list[int] = []

    def handle(task: Task) -> Iterator[Message]:
        if task.job_id == on.job(1) and len(tried) < 7:
            tried.append(1)
            raise Transient("the store is away")
        yield Cancelled(job_id=task.job_id)

    with on.loop(one_by_one(handle)):
        eventually(lambda: on.committed() == {0: 4}, "all committed")
    assert len(tried) == 7
    assert on.letters() == []


def test_full_pauses_and_keeps_polling(on: Rig) -> None:
    on.send_jobs(JOBS)
    hold, begun = threading.Event(), []

    def handle(task: Task) -> Iterator[Message]:
        begun.append(task.job_id)
        hold.wait(PATIENCE_S)
        yield Cancelled(job_id=task.job_id)

    with on.loop(one_by_one(handle), replace(FAST, queue=4)) as running:
        eventually(lambda: bool(begun), "a record begun")
        seen = running.health.ticks
        eventually(lambda: running.health.ticks > seen + 20, "polls while full")
        assert len(begun) == 1
        hold.set()
        eventually(on.all_committed, "all committed")
    assert len(begun) == JOBS


def test_replay_puts_back_the_exact_record(on: Rig) -> None:
    headers = (("h", b"\xfe"), ("h", None), ("dl_topic", b"x"))
    original = Outgoing(on.topic, b"\xff key", b"\x00\x01", headers, 2)
    keyless = Outgoing(on.topic, None, None, (), 3)
    on.send(original, keyless)
    with on.loop(one_by_one(echo)):
        eventually(on.all_committed, "both dead-lettered")
    on.send(*(restore(letter.letter) for letter in on.letters()))
    for sent in (original, keyless):
        first, second = [r for r in on.records(on.topic) if r.partition == sent.partition]
        assert (first.key, first.value, first.headers) == (sent.key, sent.value, sent.headers)
        assert (second.key, second.value, second.headers) == (sent.key, sent.value, sent.headers)


def test_too_many_dead_letters_stop_the_loop(on: Rig) -> None:
    on.send(*(Outgoing(on.topic, None, b"nonsense", (), 0) for _ in range(JOBS)))
    with on.loop(one_by_one(echo), replace(FAST, dead_letter_minimum=5)) as running:
        eventually(lambda: running.ended, "it gave up")
    assert isinstance(running.error, DeadLetterLimit)
    assert len(on.letters()) == 5
    assert on.committed() == {0: 5}
