from pathlib import Path

import pytest

from training.data.items import Item
from training.data.licences import Terms, terms, trainable


@pytest.mark.parametrize(
    ("stated", "meant"),
    [
        ("MIT (repo code licence)", "permissive"), ("Apache-2.0", "permissive"),
        ("BSD-3-Clause", "permissive"),
        ("CC0-1.0 (repo code licence)", "permissive"), ("CC BY 4.0", "permissive"),
        ("ODC-By-1.0", "permissive"),
        ("CC-BY-NC-ND-4.0 (repo code licence)", "no_derivatives"), ("cc-by-nd-4.0", "no_derivatives"),
        ("Attribution, no derivatives", "no_derivatives"),
        ("CC-BY-NC-4.0", "non_commercial"), ("Celeb-DF terms of use (research)", "non_commercial"),
        ("CC BY-SA 3.0", "share_alike"), ("GPL-3.0", "share_alike"),
        ("none stated", "unstated"), ("", "unstated"), ("DFDC licence", "other"),
        ("a custom licence", "other"),
    ],
)  # fmt: skip
def test_a_licence_is_taken_at_its_strictest_word(stated: str, meant: Terms) -> None:
    assert terms(stated) == meant


def test_research_leaves_out_no_derivatives_and_permissive_keeps_only_what_is() -> None:
    stated = ("MIT", "none stated", "CC-BY-NC-4.0", "CC-BY-NC-ND-4.0", "DFDC licence")
    items = [Item(Path(name), "audio", "real", "manifest", licence=name) for name in stated]
    assert [item.licence for item in trainable(items)] == [
        "MIT",
        "none stated",
        "CC-BY-NC-4.0",
        "DFDC licence",
    ]
    assert [item.licence for item in trainable(items, "permissive")] == ["MIT"]
