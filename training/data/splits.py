"""Splits that nothing crosses: no person, pair, copy, and if asked no source."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from training.data.groups import components, shared
from training.data.items import Item

Ties = frozenset[Hashable]


@dataclass(frozen=True)
class Split:
    """Indices into the items for each part, ascending; `dropped` are in none, since they tie two parts."""

    parts: dict[str, tuple[int, ...]]
    dropped: tuple[int, ...] = ()


@dataclass(frozen=True)
class Fold:
    """What is left out to be tested, and what may be trained on: nothing tied to it."""

    name: str
    train: tuple[int, ...]
    test: tuple[int, ...]
    dropped: tuple[int, ...]


def by_repo(item: Item) -> str:
    return item.repo


def ties(items: Sequence[Item], near: Sequence[int] | None = None, *, sources: bool = False) -> list[Ties]:
    """What each item must not share with another part: people, pair, exact copy, near copy, source.

    `near` are the group numbers of `near_duplicates`, one an item.
    """
    found: list[Ties] = []
    for i, item in enumerate(items):
        own: set[Hashable] = {("person", name) for name in item.identities}
        own |= {("pair", item.pair_id)} if item.pair_id else set()
        own |= {("copy", item.sha256)} if item.sha256 else set()
        own |= {("near", near[i])} if near is not None else set()
        own |= {("source", item.repo)} if sources and item.repo else set()
        found.append(frozenset(own))
    return found


def split(
    items: Sequence[Item],
    shares: Mapping[str, float],
    seed: int,
    near: Sequence[int] | None = None,
    *,
    sources: bool = False,
    drop_bridges: bool = False,
) -> Split:
    """Parts of about the given shares (they sum to 1) of real and of fake, with no tie between them.

    A swapped face ties two people, and in sets such as Celeb-DF everybody to everybody. With
    `drop_bridges` such items do not hold people together: they go where all their people are, or are
    dropped. Raises `ValueError` if a part would be empty.
    """
    own = ties(items, near, sources=sources)
    bridges = {i for i, item in enumerate(items) if drop_bridges and len(item.identities) > 1}
    firm = [frozenset() if i in bridges else own[i] for i in range(len(items))]
    group = components(len(items), shared(firm))
    members: dict[int, list[int]] = defaultdict(list)
    for i in range(len(items)):
        if i not in bridges:
            members[group[i]].append(i)
    place = _deal(items, list(members.values()), shares, seed)
    home: dict[Hashable, str] = {tie: part for i, part in place.items() for tie in own[i]}
    dropped = []
    for i in sorted(bridges):  # ties that only bridges have get a home from the first of them
        homes = {home[tie] for tie in own[i] if tie in home}
        if len(homes) > 1:
            dropped.append(i)
            continue
        place[i] = homes.pop() if homes else max(shares, key=lambda part: shares[part])
        home.update(dict.fromkeys(own[i], place[i]))
    parts = {name: tuple(i for i in sorted(place) if place[i] == name) for name in shares}
    empty = [name for name, indices in parts.items() if not indices]
    if empty:
        size = max(map(len, members.values()), default=0)
        raise ValueError(
            f"part {empty[0]!r} is empty: {size} of {len(items)} files hang together (see drop_bridges)"
        )
    return Split(parts, tuple(dropped))


def _deal(
    items: Sequence[Item], groups: list[list[int]], shares: Mapping[str, float], seed: int
) -> dict[int, str]:
    """Groups to parts, the largest first, each to where its real and fake are missed most."""
    random.Random(seed).shuffle(groups)  # noqa: S311 - among equals only, and repeatable
    groups.sort(key=len, reverse=True)
    total = Counter(item.label for item in items)
    missed = {part: {label: share * total[label] for label in total} for part, share in shares.items()}
    place: dict[int, str] = {}
    for group in groups:
        held = Counter(items[i].label for i in group)
        wants = {part: sum(held[label] * left[label] / total[label] for label in held) / shares[part]
                 for part, left in missed.items()}  # fmt: skip
        part = max(wants, key=lambda name: wants[name])
        for label, count in held.items():
            missed[part][label] -= count
        place.update(dict.fromkeys(group, part))
    return place


def leave_out(
    items: Sequence[Item], near: Sequence[int] | None = None, by: Callable[[Item], str] = by_repo
) -> Iterator[Fold]:
    """A fold for each value of `by` (a repository, by default) except "", in order of name.

    Whatever shares a person, a pair or a copy with the fold is trained on in none of its trainings.
    """
    own = ties(items, near)
    for name in sorted({by(item) for item in items} - {""}):
        yield _fold(name, [i for i, item in enumerate(items) if by(item) == name], own)


def k_fold(
    items: Sequence[Item],
    k: int,
    seed: int,
    near: Sequence[int] | None = None,
    by: Callable[[Item], str] = by_repo,
) -> Iterator[Fold]:
    """k folds of whole repositories, each with about a k-th of the real and of the fake.

    Items without a repository stay in training. Raises `ValueError` with fewer repositories than k.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for i, item in enumerate(items):
        if by(item):
            members[by(item)].append(i)
    if not 1 < k <= len(members):
        raise ValueError(f"{len(members)} sources cannot make {k} folds")
    names = [f"fold-{number}" for number in range(k)]
    place = _deal(items, [members[name] for name in sorted(members)], dict.fromkeys(names, 1 / k), seed)
    own = ties(items, near)
    for name in names:
        yield _fold(name, [i for i in sorted(place) if place[i] == name], own)


def leave_generator_out(items: Sequence[Item], parts: Split, train: str, test: str) -> Iterator[Fold]:
    """A fold for each generator, on top of a split by person.

    For data sets in which every generator worked on the same people: trained on `train` without the
    generator, tested on its fakes and the real ones in `test`.
    """
    for name in sorted({item.generator for item in items} - {""}):
        learnt = tuple(i for i in parts.parts[train] if items[i].generator != name)
        tested = tuple(i for i in parts.parts[test] if items[i].generator in ("", name))
        if any(items[i].generator for i in tested):
            rest = set(range(len(items))) - set(learnt) - set(tested)
            yield Fold(name, learnt, tested, tuple(sorted(rest)))


def _fold(name: str, test: list[int], own: Sequence[Ties]) -> Fold:
    tested, tied = set(test), frozenset[Hashable]().union(*(own[i] for i in test))
    train = tuple(i for i, keys in enumerate(own) if i not in tested and not keys & tied)
    dropped = tuple(i for i, keys in enumerate(own) if i not in tested and keys & tied)
    return Fold(name, train, tuple(test), dropped)
