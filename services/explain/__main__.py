"""`python -m services.explain`: verdicts to pictures and a report. Configuration: `settings.py`."""

from functools import partial

import numpy as np

from services.explain.gradcam import attribute
from services.explain.handler import Explainer
from services.explain.settings import ExplainSettings
from services.explain.timeline import draw
from shared.contracts.results import BundleRef, Series, Verdict
from shared.contracts.topics import VERDICTS
from shared.inference.service import Ports, run_service
from shared.inference.sources import open_media
from shared.messaging.handlers import Handler, one_by_one
from shared.messaging.loop_settings import LoopSettings
from shared.models.detector import Detector
from shared.models.vad import speech_mask


def main() -> None:
    settings = ExplainSettings()

    def make_handler(ports: Ports) -> Handler:
        _warm_up(ports.bundles.current.detector)
        explainer = Explainer(
            ports.store, ports.bundles, partial(open_media, ports.store), speech_mask, ports.limits,
            settings.saliency_windows,
        )
        return one_by_one(explainer.handle)

    run_service(
        "explain", VERDICTS.name, settings, make_handler, parts=("audio", "video", "scorer"),
        loop=LoopSettings(),
    )


def _warm_up(detector: Detector) -> None:
    """The first gradient and the first figure (fonts) cost seconds; pay before the first job."""
    second = np.zeros(16_000, np.float32)
    speech = np.ones(50, np.uint8)
    attribute(detector, np.zeros((5, 224, 224, 3), np.uint8), second, speech, with_sound=True)
    one = Series(p_fake=(0.5,), low=(0.4,), high=(0.6,), video=(0.5,), audio=(0.5,), speech=(1.0,), face=(1,))
    draw(Verdict(job_id="", outcome="analysed", series=one, bundle=BundleRef(name="", digest="")))


if __name__ == "__main__":
    main()
