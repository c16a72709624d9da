"""Whether a group member still gets anywhere, by librdkafka's own statistics.

It can come out of a broker's absence without any broker it knows, without a coordinator, or with a
partition that it never fetches (an offset query answered with NOT_COORDINATOR is not asked again), and
stay so for good. Only a new client helps.
"""

import json
import time
from collections.abc import Callable
from typing import Any


class VitalSigns:
    """`stuck_s` is longer than a session lasts: what is given up then was lost anyway."""

    def __init__(self, stuck_s: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._stuck_s, self._clock = stuck_s, clock
        self._well_at = clock()

    def read(self, statistics: str) -> None:
        """One document of the client's `stats_cb`."""
        if well(json.loads(statistics)):
            self._well_at = self._clock()

    def reset(self) -> None:
        """A new client begins."""
        self._well_at = self._clock()

    @property
    def stuck(self) -> bool:
        return self._clock() - self._well_at > self._stuck_s


def well(statistics: dict[str, Any]) -> bool:
    """It has a coordinator, and fetches each partition that it was assigned."""
    partitions = [p for topic in statistics["topics"].values() for p in topic["partitions"].values()]
    return statistics.get("cgrp", {}).get("state") == "up" and all(
        partition["fetch_state"] == "active" for partition in partitions if partition["desired"]
    )
