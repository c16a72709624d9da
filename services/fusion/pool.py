"""The bundles that answer for the model."""

from collections.abc import Sequence

import numpy as np

from services.fusion.judge import Conclusion
from shared.contracts.base import Modality
from shared.contracts.outcomes import InvalidRecord
from shared.contracts.results import BundleRef, Series
from shared.models.bundle import Bundle, BundlePool
from shared.models.calibration import aggregate_modality
from shared.models.policy import decide
from shared.models.windows import AUDIO_DIM, VIDEO_DIM, WindowInput, WindowOutput


class PoolJudge:
    """The bundles that are loaded."""

    def __init__(self, pool: BundlePool) -> None:
        self._pool = pool

    def warm_up(self) -> None:
        """The model's first call takes a second or two: better before the first window than with it."""
        speech = np.zeros((2, AUDIO_DIM), np.float16)
        self._pool.current.detector.score([WindowInput(np.zeros((1, VIDEO_DIM), np.float16), speech)])

    def knows(self, digest: str) -> bool:
        return self._get(digest) is not None

    def score(self, digest: str, windows: Sequence[WindowInput]) -> list[WindowOutput]:
        return self._pool.get(digest).detector.score(windows)

    def conclude(
        self, digest: str, series: Series, duration_s: float, modalities: tuple[Modality, ...]
    ) -> Conclusion | None:
        bundle = self._get(digest)
        if bundle is None:
            return None
        manifest, calibration = bundle.manifest, bundle.manifest.calibration
        p_fake, interval = bundle.detector.aggregate(series, duration_s)
        verdict, reason = decide(p_fake, interval, duration_s, manifest, modalities)
        return Conclusion(
            p_fake, interval,
            {
                "video": aggregate_modality(series.video, duration_s, calibration),
                "audio": aggregate_modality(series.audio, duration_s, calibration),
            },
            dict(manifest.modality_weights), verdict, reason,
            BundleRef(name=manifest.name, digest=manifest.digest, measured=manifest.measured_dict()),
            bundle.detector.runtime,
        )

    def _get(self, digest: str) -> Bundle | None:
        try:
            return self._pool.get(digest)
        except InvalidRecord:
            return None
