"""The account after the storm: pure arithmetic on what was asked and what was answered."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Account:
    """`lost`: jobs without a verdict. `duplicate_verdicts`: jobs whose verdict came more than once
    (allowed if identical). `different_bytes`: jobs with a verdict unlike the one without faults."""

    jobs: int
    kills: int
    lost: int
    duplicate_verdicts: int
    different_bytes: int
    lag: int
    seed: int

    @property
    def good(self) -> bool:
        return self.lost == 0 and self.different_bytes == 0 and self.lag == 0

    def to_dict(self) -> dict[str, int]:
        return asdict(self)


def settle(
    expected: Mapping[str, bytes], observed: Mapping[str, Sequence[bytes]], *, kills: int, lag: int, seed: int
) -> Account:
    """`expected`: job id to its verdict without faults; `observed`: job id to every verdict record."""
    verdicts = {job: list(observed.get(job, ())) for job in expected}
    return Account(
        jobs=len(expected),
        kills=kills,
        lost=sum(not values for values in verdicts.values()),
        duplicate_verdicts=sum(len(values) > 1 for values in verdicts.values()),
        different_bytes=sum(any(v != expected[job] for v in values) for job, values in verdicts.items()),
        lag=lag,
        seed=seed,
    )
