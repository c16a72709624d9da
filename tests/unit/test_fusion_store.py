"""The table's own disk: always a prefix of the changelog, and only for partitions that are ours."""

from pathlib import Path
from typing import Any

import pytest
from faust.types import TP

from services.fusion.faust_app import make_app
from services.fusion.settings import FusionSettings
from services.fusion.store import JoinStore, open_table


@pytest.fixture
def store(tmp_path: Path) -> JoinStore:
    app = make_app(FusionSettings(state_dir=tmp_path), "127.0.0.1:1,127.0.0.1:2")
    found: Any = open_table(app, 24).data
    found._db_for_partition(3)  # as an assignment does
    made: JoinStore = found
    return made


def test_values_and_the_offset_they_came_with_are_applied_together(store: JoinStore) -> None:
    store.apply(3, [(b"a", b"1"), (b"b", b"2"), (b"a", None)], 17)
    assert (store.read(3, b"a"), store.read(3, b"b")) == (None, b"2")
    assert store.persisted_offset(TP("any", 3)) == 17


def test_a_scan_sees_its_prefix_and_nothing_else(store: JoinStore) -> None:
    store.apply(3, [(b"j/2", b"two"), (b"j/1", b"one"), (b"p/1", b"plan"), (b"w/1", b"entry")], 1)
    assert list(store.scan(3, b"j/")) == [(b"j/1", b"one"), (b"j/2", b"two")]


def test_a_partition_that_is_not_ours_is_neither_read_nor_written(store: JoinStore) -> None:
    store.apply(4, [(b"a", b"1")], 1)
    with pytest.raises(KeyError):
        store.read(4, b"a")
