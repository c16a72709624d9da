"""What a stated licence allows, as far as training is concerned. Words are read, not lawyers replaced."""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from training.data.items import Item

Terms = Literal["permissive", "share_alike", "non_commercial", "no_derivatives", "unstated", "other"]
Choice = Literal["permissive", "research"]  # --licences

_PERMISSIVE = (
    {"mit"}, {"apache"}, {"bsd"}, {"isc"}, {"unlicense"}, {"zlib"}, {"cc0"}, {"pddl"},
    {"public", "domain"}, {"cc", "by"}, {"odc", "by"},
)  # fmt: skip
_UNSTATED = {"", "none stated", "none", "unknown", "noassertion"}


def terms(licence: str) -> Terms:
    """The strictest condition that the licence's name or SPDX identifier states."""
    text = licence.strip().lower()
    if text in _UNSTATED:
        return "unstated"
    words = set(re.findall(r"[a-z]+0?", text))  # "cc0" keeps its zero; "bsd-3" is bsd
    if "nd" in words or re.search(r"no[- ]?deriv", text):
        return "no_derivatives"
    if "nc" in words or re.search(r"non[- ]?commercial|research", text):
        return "non_commercial"
    if words & {"sa", "gpl", "agpl", "lgpl"} or re.search(r"share[- ]?alike", text):
        return "share_alike"
    return "permissive" if any(name <= words for name in _PERMISSIVE) else "other"


def trainable(items: Iterable[Item], licences: Choice = "research") -> Iterator[Item]:
    """The items whose licence lets a model be trained on them.

    `research` leaves out only what forbids derivatives (weights made from the rest may not be sold);
    `permissive` keeps only what states a permissive licence, so what states none is left out too.
    """
    for item in items:
        stated = terms(item.licence)
        if stated == "permissive" or (licences == "research" and stated != "no_derivatives"):
            yield item
