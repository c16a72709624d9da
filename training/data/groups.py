"""Which things belong together: connected parts of a graph, and neighbours among hashes."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from training.data.fingerprints import Fingerprint

PICTURE_BITS = 6  # of 64 in which copies of a picture may differ
SOUND_BITS = 51  # of 256 in which copies of a sound may differ
_CHUNK = 1 << 22  # comparisons at a time


def components(count: int, links: Iterable[tuple[int, int]]) -> list[int]:
    """For each of `count` nodes the lowest node that links lead to (union-find with path halving)."""
    parent = list(range(count))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for a, b in links:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return [root(node) for node in range(count)]


def shared(keys: Sequence[Iterable[Hashable]]) -> Iterator[tuple[int, int]]:
    """Links between the things that have a key in common."""
    first: dict[Hashable, int] = {}
    for i, own in enumerate(keys):
        for key in own:
            yield first.setdefault(key, i), i


def neighbours(hashes: Sequence[bytes | None], distance: int) -> Iterator[tuple[int, int]]:
    """Pairs of hashes of one length that differ in at most `distance` bits; None is near to nothing.

    Only hashes that agree in a byte are compared: all pairs that differ in fewer bits than they have
    bytes, and of copies that differ in a fifth of 256 bits all but 3 in 1000.
    """
    present = [i for i, value in enumerate(hashes) if value]
    if not present:
        return
    table = np.array([np.frombuffer(hashes[i] or b"", np.uint8) for i in present])
    for place in range(table.shape[1]):
        buckets: dict[int, list[int]] = defaultdict(list)
        for row, value in enumerate(table[:, place].tolist()):
            buckets[value].append(row)
        for rows in buckets.values():
            for a, b in _close(table[rows], distance):
                yield present[rows[a]], present[rows[b]]


def _close(table: NDArray[np.uint8], distance: int) -> Iterator[tuple[int, int]]:
    step = max(1, _CHUNK // table.size)
    for start in range(0, len(table), step):
        differ = np.bitwise_count(table[start : start + step, None] ^ table[None]).sum(axis=2)
        for a, b in np.argwhere(differ <= distance).tolist():
            if start + a < b:
                yield start + a, b


def near_duplicates(prints: Sequence[Fingerprint]) -> list[int]:
    """A group number for each file: equal for copies in picture or sound, and for copies of copies."""
    pictures = [bytes.fromhex(print_.picture) or None for print_ in prints]
    sounds = [bytes.fromhex(print_.sound) or None for print_ in prints]
    links = [
        *shared([[print_.sha256] if print_.sha256 else [] for print_ in prints]),
        *neighbours(pictures, PICTURE_BITS),
        *neighbours(sounds, SOUND_BITS),
    ]
    return components(len(prints), links)
