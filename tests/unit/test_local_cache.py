import threading
from pathlib import Path

import pytest

from deploy.local import cache, jars

TOLD: list[str] = []


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_folder_is_made_once() -> None:
    calls = []

    def make(folder: Path) -> None:
        calls.append(folder)
        (folder / "thing").write_text("made")

    paths = {cache.install("tool-1", make, TOLD.append) for _ in range(2)}
    assert len(calls) == 1
    assert [(path / "thing").read_text() for path in paths] == ["made"]


def test_what_failed_leaves_nothing_and_may_be_tried_again() -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cache.install("tool-1", fail, TOLD.append)
    assert not list(cache.cache_folder().glob("tool-1*/"))
    assert cache.install("tool-1", lambda folder: (folder / "whole").touch(), TOLD.append).is_dir()


def test_two_at_once_make_it_once() -> None:
    calls, entered, go_on, waits = [], threading.Event(), threading.Event(), threading.Event()

    def slow(folder: Path) -> None:
        calls.append(folder)
        entered.set()
        assert go_on.wait(10)

    first = threading.Thread(target=cache.install, args=("tool-1", slow, TOLD.append))
    second = threading.Thread(target=cache.install, args=("tool-1", slow, lambda _: waits.set()))
    first.start()
    assert entered.wait(10)
    second.start()
    assert waits.wait(10)
    go_on.set()
    first.join(10)
    second.join(10)
    assert len(calls) == 1


def test_other_lock_file_is_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = jars.folder_name()
    other = tmp_path / "jgo.lock.toml"
    other.write_text(jars.LOCK.read_text() + "\n")
    monkeypatch.setattr(jars, "LOCK", other)
    assert jars.folder_name() != before


def test_every_jar_is_pinned_by_its_digest() -> None:
    text = jars.LOCK.read_text()
    assert text.count("[[dependencies]]") == text.count("sha256 = ") > 40
