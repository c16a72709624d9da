"""Whatever a decoder does, its caller goes on, and nothing is left behind."""

import os
import threading
from collections.abc import Iterator

import psutil
import pytest

from shared.contracts.outcomes import BadMedia, Transient
from shared.media import sandbox
from shared.media.nursing import Nursery
from shared.media.sources import MemorySource
from shared.media.wire import Header


@pytest.fixture(scope="module")
def naughty() -> Iterator[Nursery]:
    nursery = Nursery("tests.support.naughty_nursery")
    yield nursery
    nursery.stop()


def _run(nursery: Nursery, task: str, data: bytes = b"x", seconds: float = 30.0) -> list[Header]:
    with sandbox.running(
        {"task": task}, MemorySource(data), seconds=seconds, memory_bytes=1 << 30, nursery=nursery
    ) as said:
        return [header for header, _ in said]


def _children(nursery: Nursery) -> list[psutil.Process]:
    assert nursery.process_id is not None
    return list(psutil.Process(nursery.process_id).children())


@pytest.mark.parametrize(
    ("task", "code"),
    [
        ("crash", "decoder_crashed"),
        ("leave", "decoder_crashed"),
        ("babble", "decoder_crashed"),
        ("allocate", "decoder_crashed"),
        ("hang", "decoder_timeout"),
        ("spin", "decoder_timeout"),
    ],
)
def test_each_misfortune_has_its_name_and_the_next_child_is_well(
    naughty: Nursery, task: str, code: str
) -> None:
    with pytest.raises(BadMedia) as caught:
        _run(naughty, task, seconds=0.25)
    assert caught.value.code == code
    assert _run(naughty, "read_all", b"abc") == [{"say": "out", "total": 3}]
    assert _children(naughty) == []


def test_a_child_can_open_nothing_and_knows_no_secret(
    naughty: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    naughty.stop()
    monkeypatch.setenv("S3_SECRET_KEY", "swordfish")
    (found,) = _run(naughty, "escape")
    assert found["done"] == []
    assert "swordfish" not in str(found["environment"])
    assert not any("SECRET" in name for name in found["environment"])


def test_all_bytes_arrive(naughty: Nursery) -> None:
    data = bytes(range(256)) * 5000
    assert _run(naughty, "read_all", data)[0]["total"] == len(data)


class _Away(MemorySource):
    def read_at(self, offset: int, length: int) -> bytes:
        raise Transient("the store is away")


def test_a_source_that_is_away_is_no_fault_of_the_media(naughty: Nursery) -> None:
    with (
        pytest.raises(Transient, match="the store is away"),
        sandbox.running(
            {"task": "read_all"}, _Away(b"x"), seconds=30, memory_bytes=1 << 30, nursery=naughty
        ) as said,
    ):
        list(said)
    assert _children(naughty) == []


def test_leaving_half_way_leaves_no_child_and_no_descriptor(naughty: Nursery) -> None:
    _run(naughty, "read_all")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with sandbox.running(
            {"task": "count_up"}, MemorySource(b"x"), seconds=30, memory_bytes=1 << 30, nursery=naughty
        ) as said:
            assert next(said)[0]["number"] == 0
    assert _children(naughty) == []
    # Other tests' clients come and go in this process; a leak would be one for each time at least.
    assert len(os.listdir("/proc/self/fd")) < before + 10


def test_many_threads_share_a_nursery(naughty: Nursery) -> None:
    totals: list[int] = []

    def work(size: int) -> None:
        totals.extend(_run(naughty, "read_all", bytes(size))[0]["total"] for _ in range(5))

    threads = [threading.Thread(target=work, args=(1000 * number,)) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(totals) == sorted(1000 * number for number in range(1, 7) for _ in range(5))


def test_a_child_killed_from_outside_is_worth_another_try(naughty: Nursery) -> None:
    with (
        pytest.raises(Transient),
        sandbox.running(
            {"task": "count_up"}, MemorySource(b"x"), seconds=30, memory_bytes=1 << 30, nursery=naughty
        ) as said,
    ):
        next(said)
        for child in _children(naughty):
            child.kill()
        list(said)


def test_a_nursery_that_died_is_replaced(naughty: Nursery) -> None:
    _run(naughty, "read_all")
    assert naughty.process_id is not None
    process = psutil.Process(naughty.process_id)
    process.kill()
    process.wait(timeout=30)
    assert _run(naughty, "read_all", b"abc")[0]["total"] == 3
