"""`python -m services.audio_worker`: sound of segments to embeddings. Configuration: `settings.py`."""

from functools import partial

import numpy as np

from services.audio_worker.handler import AudioBranch
from services.audio_worker.settings import AudioWorkerSettings
from shared.contracts.topics import VIDEO_EVENTS
from shared.inference.decoding import segment_windows
from shared.inference.segments import SegmentHandler
from shared.inference.service import Ports, run_service
from shared.inference.sources import open_media
from shared.messaging.handlers import Handler
from shared.messaging.loop_settings import LoopSettings
from shared.models.vad import speech_mask


def main() -> None:
    settings = AudioWorkerSettings()

    def make_handler(ports: Ports) -> Handler:
        second = np.zeros(16_000, np.float32)
        speech_mask(second, len(second))
        ports.bundles.current.detector.encode_audio(second[None], np.array([len(second)]))
        branch = AudioBranch(
            partial(open_media, ports.store), ports.bundles,
            lambda source, segment: segment_windows("audio", source, segment, ports.limits), speech_mask,
        )
        return SegmentHandler(branch, batch=settings.batch_windows, open_at_once=settings.open_segments)

    run_service(
        "audio-worker", VIDEO_EVENTS.name, settings, make_handler, parts=("audio",),
        loop=LoopSettings(max_batch=settings.batch_segments),
    )


if __name__ == "__main__":
    main()
