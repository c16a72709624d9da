"""The model behind a small port: what fusion asks of a bundle. No torch here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.contracts.base import Modality
from shared.contracts.results import BundleRef, Interval, Probability, Series, VerdictName
from shared.models.windows import WindowInput, WindowOutput


@dataclass(frozen=True)
class Conclusion:
    """What a bundle says of a whole clip. Numbers are not rounded yet."""

    p_fake: Probability
    interval: Interval | None
    modalities: dict[Modality, Probability]
    weights: dict[Modality, float]
    verdict: VerdictName
    reason: str
    bundle: BundleRef
    runtime: str


class Judge(Protocol):
    """Bundles by digest."""

    def knows(self, digest: str) -> bool: ...

    def score(self, digest: str, windows: Sequence[WindowInput]) -> list[WindowOutput]:
        """A window's output must not depend on what else is in the call."""
        ...

    def conclude(
        self, digest: str, series: Series, duration_s: float, modalities: tuple[Modality, ...]
    ) -> Conclusion | None:
        """`modalities`: those that were usable. None if the bundle is not resident."""
        ...
