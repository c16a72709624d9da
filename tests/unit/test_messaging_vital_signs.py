"""When a group member gets nowhere any more, by what its client says of itself."""

import json
from typing import Any

import pytest

from shared.messaging.vital_signs import VitalSigns, well


def statistics(state: str = "up", *fetching: str, desired: bool = True) -> dict[str, Any]:
    """As librdkafka writes them, less what nobody reads; -1 is its partition for what has none."""
    partitions = {str(n): {"fetch_state": s, "desired": desired} for n, s in enumerate(fetching)}
    nobodys = {"-1": {"fetch_state": "none", "desired": False}}
    return {"cgrp": {"state": state}, "topics": {"jobs-v1": {"partitions": partitions | nobodys}}}


@pytest.mark.parametrize(("said", "expected"), [
    (statistics(), True),
    (statistics("up", "active", "active"), True),
    (statistics("up", "active", "offset-query"), False),
    (statistics("up", "none", desired=False), True),
    (statistics("query-coord"), False),
    (statistics("query-coord", "active"), False),
    ({"topics": {}}, False),
])
def test_well_is_who_has_a_coordinator_and_fetches_all_that_it_was_assigned(
    said: dict[str, Any], expected: bool
) -> None:
    assert well(said) is expected


def test_stuck_is_who_was_not_well_for_long() -> None:
    now, found = [0.0], []
    signs = VitalSigns(60, lambda: now[0])
    now[0] = 50
    signs.read(json.dumps(statistics("up", "active")))
    now[0] = 105
    signs.read(json.dumps(statistics("wait-coord")))
    found.append(signs.stuck)
    now[0] = 111
    found.append(signs.stuck)
    signs.reset()
    found.append(signs.stuck)
    assert found == [False, True, False]
