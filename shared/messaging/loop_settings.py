"""The numbers of a loop, and how long to wait before trying again."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class LoopSettings:
    """`queue` bounds the records taken and not yet finished; at the bound, partitions are paused."""

    max_batch: int = 1
    linger_s: float = 0.02  # a batch waits this long for company, across partitions and jobs
    workers: int = 1
    queue: int = 64
    max_behind: int = 10_000  # finished records of a partition that wait behind an unfinished one
    max_attempts: int = 3  # of a record that fails unexpectedly
    retry_base_s: float = 0.5
    retry_max_s: float = 30.0
    commit_interval_s: float = 0.5
    poll_s: float = 0.1
    drain_s: float = 25.0  # on stop: what is in flight may take this long
    revoke_drain_s: float = 5.0  # on revoke: likewise
    dead_letter_ratio: float = 0.5  # more dead letters than this among the last ...
    dead_letter_window: int = 100  # ... records, and at least ...
    dead_letter_minimum: int = 20  # ... this many, stop the loop

    def delay_s(self, attempt: int) -> float:
        """Before attempt `attempt` + 1 (attempt >= 1): exponential, with jitter over its upper half."""
        ceiling = min(self.retry_max_s, self.retry_base_s * 2.0 ** min(attempt - 1, 30))
        return ceiling * (0.5 + 0.5 * random.random())  # noqa: S311 not for secrets
