"""What every object store must do; subclassed by a file a kind of store, which gives the `store` fixture."""

import io
import os
from collections.abc import Iterator
from uuid import uuid4

import pytest

from shared.contracts.outcomes import BadMedia
from shared.storage.object_store import ObjectMissing, ObjectStore

PIECE = 64 * 1024


class Pieces:
    """A stream that gives at most `PIECE` bytes at once; after `count` times as many it ends, or raises."""

    def __init__(self, count: int, failure: Exception | None = None) -> None:
        self.piece = os.urandom(PIECE)
        self._data, self._failure = io.BytesIO(self.piece * count), failure

    def read(self, n: int, /) -> bytes:
        data = self._data.read(min(n, PIECE))
        if not data and self._failure:
            raise self._failure
        return data


class StoreBehaviour:
    @pytest.fixture
    def folder(self, store: ObjectStore) -> Iterator[str]:
        prefix = f"tests/{uuid4()}/"
        yield prefix
        store.remove_prefix(prefix)

    def test_gives_back_what_was_put_with_its_type(self, store: ObjectStore, folder: str) -> None:
        put = store.put(folder + "a", b"hello", "text/plain")
        assert store.get(folder + "a") == b"hello"
        found = store.stat(folder + "a")
        assert (found.size, found.content_type, found.etag) == (5, "text/plain", put.etag)

    def test_keeps_an_empty_object(self, store: ObjectStore, folder: str) -> None:
        store.put(folder + "empty", b"")
        assert store.get(folder + "empty") == b""
        assert store.stat(folder + "empty").size == 0
        assert list(store.iter_bytes(folder + "empty")) == []
        assert store.read_range(folder + "empty", 0, 10) == b""

    def test_the_last_put_wins(self, store: ObjectStore, folder: str) -> None:
        before = store.put(folder + "a", b"one")
        after = store.put(folder + "a", b"two")
        assert store.get(folder + "a") == b"two"
        assert before.etag != after.etag

    def test_keys_may_hold_any_text(self, store: ObjectStore, folder: str) -> None:
        key = folder + "ein Gruß+&%20=?.mp4"
        store.put(key, b"x")
        assert store.get(key) == b"x"
        assert list(store.list(folder)) == [key]

    @pytest.mark.parametrize(
        ("offset", "length", "expected"),
        [(0, 3, b"012"), (2, 3, b"234"), (8, 10, b"89"), (10, 5, b""), (99, 5, b""), (3, 0, b"")],
    )
    def test_reads_a_range_and_stops_at_the_end(
        self, store: ObjectStore, folder: str, offset: int, length: int, expected: bytes
    ) -> None:
        store.put(folder + "digits", b"0123456789")
        assert store.read_range(folder + "digits", offset, length) == expected

    def test_iterates_in_pieces(self, store: ObjectStore, folder: str) -> None:
        store.put(folder + "digits", b"0123456789")
        assert list(store.iter_bytes(folder + "digits", 4)) == [b"0123", b"4567", b"89"]

    @pytest.mark.parametrize("pieces", [0, 1, 128, 129, 300])
    def test_streams_any_length_without_knowing_it(
        self, store: ObjectStore, folder: str, pieces: int
    ) -> None:
        stream = Pieces(pieces)
        written = store.put_stream(folder + "big", stream, "video/mp4")
        assert written.size == pieces * PIECE
        assert store.get(folder + "big") == stream.piece * pieces
        assert store.stat(folder + "big") == written

    def test_a_wrong_size_hint_changes_nothing(self, store: ObjectStore, folder: str) -> None:
        store.put_stream(folder + "a", io.BytesIO(b"hello"), size=999)
        assert store.get(folder + "a") == b"hello"

    @pytest.mark.parametrize("pieces", [0, 1, 200])
    def test_a_stream_that_raises_leaves_nothing(self, store: ObjectStore, folder: str, pieces: int) -> None:
        failure = BadMedia("too_large")
        with pytest.raises(BadMedia) as raised:
            store.put_stream(folder + "big", Pieces(pieces, failure))
        assert raised.value is failure
        with pytest.raises(ObjectMissing):
            store.stat(folder + "big")

    def test_a_missing_object_is_named(self, store: ObjectStore, folder: str) -> None:
        for ask in (store.get, store.stat, store.iter_bytes, lambda key: store.read_range(key, 0, 1)):
            with pytest.raises(ObjectMissing):
                ask(folder + "none")

    def test_a_missing_bucket_reads_as_missing(self, store: ObjectStore) -> None:
        with pytest.raises(ObjectMissing):
            store.within("no-such-bucket").get("a")

    def test_copies_from_another_bucket(self, store: ObjectStore, folder: str) -> None:
        store.within("inbox").put(folder + "dropped", b"media", "video/mp4")
        copied = store.copy_in("inbox", folder + "dropped", folder + "kept")
        assert store.get(folder + "kept") == b"media"
        assert (copied.size, copied.content_type) == (5, "video/mp4")
        with pytest.raises(ObjectMissing):
            store.get(folder + "dropped")
        store.within("inbox").remove_prefix(folder)

    def test_copying_what_is_not_there_is_named(self, store: ObjectStore, folder: str) -> None:
        with pytest.raises(ObjectMissing):
            store.copy_in("inbox", folder + "none", folder + "kept")
        with pytest.raises(ObjectMissing):
            store.copy_in("no-such-bucket", "none", folder + "kept")

    def test_lists_below_a_prefix_in_order(self, store: ObjectStore, folder: str) -> None:
        for name in ("b", "a/2", "a/1", "ab"):
            store.put(folder + name, b"")
        assert list(store.list(folder)) == [folder + n for n in ("a/1", "a/2", "ab", "b")]
        assert list(store.list(folder + "a/")) == [folder + n for n in ("a/1", "a/2")]
        assert list(store.list(folder + "zzz")) == []

    def test_removing_twice_is_no_error(self, store: ObjectStore, folder: str) -> None:
        store.put(folder + "a", b"")
        store.remove(folder + "a")
        store.remove(folder + "a")
        assert list(store.list(folder)) == []

    def test_removes_all_below_a_prefix_and_no_more(self, store: ObjectStore, folder: str) -> None:
        for name in ("a/1", "a/2", "b"):
            store.put(folder + name, b"")
        store.remove_prefix(folder + "a/")
        store.remove_prefix(folder + "a/")
        assert list(store.list(folder)) == [folder + "b"]

    def test_is_healthy_and_may_be_prepared_again(self, store: ObjectStore) -> None:
        store.ensure_buckets()
        store.ensure_buckets()
        assert store.healthy()
