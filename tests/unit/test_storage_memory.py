"""The store in memory does what the real one does."""

import pytest

from shared.contracts.outcomes import Transient
from shared.storage import ObjectStore
from shared.storage.memory import MemoryStore
from tests.support.store_behaviour import StoreBehaviour


class TestMemoryStore(StoreBehaviour):
    @pytest.fixture
    def store(self) -> ObjectStore:
        prepared = MemoryStore()
        prepared.within("inbox")
        return prepared


def test_an_outage_can_be_played() -> None:
    store = MemoryStore()
    store.put("a", b"x")
    store.outage = "the object store is unreachable"
    with pytest.raises(Transient, match="unreachable"):
        store.get("a")
    assert not store.healthy()
    store.outage = None
    assert store.get("a") == b"x"
