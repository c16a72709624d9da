"""Media as the workers read them: ranges of an object, and faults with a name."""

import pytest

from shared.contracts.outcomes import BadMedia, InvalidRecord, Transient
from shared.inference.sources import open_media
from shared.storage.memory import MemoryStore

MIB = 1024 * 1024


class CountingStore(MemoryStore):
    """Counts the bytes that were asked for."""

    read = 0

    def get(self, key: str) -> bytes:
        self.read += self.stat(key).size
        return super().get(key)

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        found = super().read_range(key, offset, length)
        self.read += len(found)
        return found


def test_a_part_of_a_long_film_costs_that_part() -> None:
    store = CountingStore()
    store.put("film", bytes(64 * MIB))
    source = open_media(store, "s3://veracity/film", 64 * MIB)
    assert len(source.read_at(40 * MIB + 5, 100_000)) == 100_000
    assert store.read <= 2 * MIB


def test_media_that_are_gone_are_the_jobs_fault_and_an_outage_is_nobodys() -> None:
    store = MemoryStore()
    with pytest.raises(BadMedia) as gone:
        open_media(store, "s3://veracity/none", 10).read_at(0, 10)
    assert gone.value.code == "media_missing"
    store.outage = "away"
    with pytest.raises(Transient):
        open_media(store, "s3://veracity/none", 10).read_at(0, 10)


@pytest.mark.parametrize("place", ["https://example.org/clip.mp4", "clip.mp4", "s3://", ""])
def test_a_place_that_is_not_in_the_store_is_no_valid_record(place: str) -> None:
    with pytest.raises(InvalidRecord, match="malformed"):
        open_media(MemoryStore(), place, 10)
