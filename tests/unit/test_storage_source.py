"""Only the bytes that are asked for leave the store, and each once."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.outcomes import Transient
from shared.storage import ObjectSource
from shared.storage.memory import MemoryStore

DATA = os.urandom(10_000)


def source_of(data: bytes, *, whole: int = 0, blocks_kept: int = 4) -> tuple[ObjectSource, MemoryStore]:
    store = MemoryStore()
    store.put("media", data)
    return ObjectSource(store, "media", block=1000, whole=whole, blocks_kept=blocks_kept), store


@given(
    reads=st.lists(st.tuples(st.integers(0, 11_000), st.integers(0, 5_000)), max_size=20),
    kept=st.integers(1, 12), whole=st.sampled_from([0, 20_000]),
)
def test_reads_what_a_slice_would(reads: list[tuple[int, int]], kept: int, whole: int) -> None:
    source, _ = source_of(DATA, whole=whole, blocks_kept=kept)
    for offset, length in reads:
        assert source.read_at(offset, length) == DATA[offset : offset + length]


def test_fetches_only_the_blocks_that_are_touched() -> None:
    source, _ = source_of(DATA)
    assert source.read_at(2_500, 10) == DATA[2_500:2_510]
    assert source.read_at(2_990, 20) == DATA[2_990:3_010]
    assert source.read_at(2_000, 1_000) == DATA[2_000:3_000]
    assert source.bytes_fetched == 2_000


def test_fetches_a_small_object_whole_and_once() -> None:
    source, store = source_of(DATA, whole=10_000)
    source.read_at(5_000, 1)
    store.outage = "away"
    assert source.read_at(0, 20_000) == DATA
    assert source.bytes_fetched == 10_000


def test_an_empty_object_has_no_bytes() -> None:
    source, _ = source_of(b"", whole=10_000)
    assert (source.size, source.read_at(0, 10)) == (0, b"")


def test_an_outage_comes_through() -> None:
    source, store = source_of(DATA)
    store.outage = "the object store is unreachable"
    with pytest.raises(Transient):
        source.read_at(0, 10)
    store.outage = None
    assert source.read_at(0, 10) == DATA[:10]
