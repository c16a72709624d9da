from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.support.published_trees import celeb_df, faceforensics
from training.data.items import Item, Label
from training.data.layouts import load
from training.data.splits import Fold, Split, k_fold, leave_generator_out, leave_out, split, ties

SHARES = {"train": 0.6, "val": 0.2, "test": 0.2}


def item(
    number: int,
    label: Label = "real",
    people: tuple[str, ...] = (),
    pair: str = "",
    repo: str = "",
    method: str = "",
) -> Item:
    return Item(
        Path(f"{number}.flac"),
        "audio",
        label,
        "manifest",
        identities=people,
        pair_id=pair,
        repo=repo,
        method=method,
    )


@st.composite
def data_sets(draw: st.DrawFn) -> tuple[list[Item], list[int]]:
    """Items with shared people, pairs, sources and near copies, and the groups of the latter."""
    names = st.integers(0, 25).map(str)
    count = draw(st.integers(6, 40))
    items = [
        item(
            number,
            draw(st.sampled_from(["real", "fake"])),
            tuple(draw(st.lists(names, max_size=2))),
            draw(st.sampled_from(["", *map(str, range(20))])),
            draw(st.sampled_from(["a", "b", "c", "d", "e"])),
            draw(st.sampled_from(["m", "n"])),
        )
        for number in range(count)
    ]
    return items, draw(st.lists(st.integers(0, 60), min_size=count, max_size=count))


def crossing(items: list[Item], near: list[int], *parts: tuple[int, ...]) -> set[object]:
    """What two parts share, told from the items themselves."""
    held = [
        {("who", name) for i in part for name in items[i].identities}
        | {("pair", items[i].pair_id) for i in part if items[i].pair_id}
        | {("near", near[i]) for i in part}
        for part in parts
    ]
    return {thing for a in range(len(held)) for b in range(a) for thing in held[a] & held[b]}


@settings(max_examples=40)
@given(data_sets(), st.booleans(), st.booleans(), st.integers(0, 3))
def test_nobody_no_pair_no_copy_and_no_source_crosses_a_split(
    data: tuple[list[Item], list[int]], sources: bool, drop_bridges: bool, seed: int
) -> None:
    items, near = data
    try:
        found = split(items, SHARES, seed, near, sources=sources, drop_bridges=drop_bridges)
    except ValueError as error:
        assert "hang together" in str(error)
        assume(False)
    parts = list(found.parts.values())
    assert crossing(items, near, *parts) == set()
    assert sorted([*sum(parts, ()), *found.dropped]) == list(range(len(items)))
    assert drop_bridges or not found.dropped
    if sources:
        assert sum(len({items[i].repo for i in part}) for part in parts) == len(
            {items[i].repo for part in parts for i in part}
        )
    assert found == split(items, SHARES, seed, near, sources=sources, drop_bridges=drop_bridges)


@settings(max_examples=40)
@given(data_sets(), st.integers(2, 3), st.integers(0, 3))
def test_nobody_no_pair_and_no_copy_of_a_fold_is_trained_on(
    data: tuple[list[Item], list[int]], k: int, seed: int
) -> None:
    items, near = data
    assume(len({entry.repo for entry in items}) >= k)
    out, folds = list(leave_out(items, near)), list(k_fold(items, k, seed, near))
    for fold in (*out, *folds):
        assert crossing(items, near, fold.train, fold.test) == set()
        assert not {items[i].repo for i in fold.train} & {items[i].repo for i in fold.test}
        assert sorted([*fold.train, *fold.test, *fold.dropped]) == list(range(len(items)))
        lost = [(fold.test, (i,)) for i in fold.dropped]
        assert all(crossing(items, near, *pair) for pair in lost)  # nothing is dropped without need
    assert [fold.name for fold in out] == sorted({entry.repo for entry in items})
    assert sorted(i for fold in folds for i in fold.test) == list(range(len(items)))


def test_parts_have_their_shares_of_real_and_of_fake() -> None:
    items = [item(i, "fake" if i % 3 == 0 else "real", (f"p{i // 5}",)) for i in range(1000)]
    found = split(items, SHARES, seed=1)
    for name, share in SHARES.items():
        fakes = sum(items[i].label == "fake" for i in found.parts[name])
        assert len(found.parts[name]) == pytest.approx(1000 * share, abs=10)
        assert fakes == pytest.approx(334 * share, abs=6)
    assert found.parts != split(items, SHARES, seed=2).parts


def test_swaps_that_tie_everybody_are_dropped_where_asked() -> None:
    people = [f"id{number}" for number in range(10)]
    reals = [item(number, people=(name,)) for number, name in enumerate(people)]
    fakes = [item(100, "fake", (a, b)) for a in people for b in people if a != b]
    with pytest.raises(ValueError, match="is empty: 100 of 100 files hang together"):
        split(reals + fakes, SHARES, seed=0)
    found = split(reals + fakes, SHARES, seed=0, drop_bridges=True)
    assert [len(part) for part in found.parts.values()] == [6 + 30, 2 + 2, 2 + 2]
    assert len(found.dropped) == 90 - 34


def test_an_exact_copy_is_a_tie() -> None:
    items = [replace(item(number), sha256="same") for number in (0, 1)]
    assert ties(items)[0] & ties(items)[1]


def test_published_trees_split_by_person(tmp_path: Path) -> None:
    celeb_df(tmp_path / "celeb")
    celeb = load(tmp_path / "celeb")
    parts = split(celeb, {"train": 0.5, "test": 0.5}, seed=0, drop_bridges=True)
    assert crossing(celeb, list(range(len(celeb))), *parts.parts.values()) == set()
    assert {celeb[i].label for i in parts.dropped} == {"fake"}
    faceforensics(tmp_path / "ff")
    faces = load(tmp_path / "ff")
    parts = split(faces, {"train": 0.5, "test": 0.5}, seed=0)
    folds = {fold.name: fold for fold in leave_generator_out(faces, parts, "train", "test")}
    fold = folds["faceforensics++:FaceSwap"]
    assert {faces[i].method for i in fold.test} == {"", "FaceSwap"}
    assert "FaceSwap" not in {faces[i].method for i in fold.train}
    assert crossing(faces, list(range(len(faces))), fold.train, fold.test) == set()


def test_too_few_sources_for_the_folds_is_an_error() -> None:
    with pytest.raises(ValueError, match="1 sources cannot make 2 folds"):
        list(k_fold([item(0, repo="a"), item(1)], 2, seed=0))


def test_files_without_a_source_are_trained_on_and_never_left_out() -> None:
    items = [item(0, repo="a"), item(1, repo="b"), item(2)]
    assert list(leave_out(items)) == [Fold("a", (1, 2), (0,), ()), Fold("b", (0, 2), (1,), ())]
    assert split(items, {"only": 1.0}, seed=0) == Split({"only": (0, 1, 2)})
