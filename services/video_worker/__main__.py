"""`python -m services.video_worker`: faces of segments to embeddings. Configuration: `settings.py`."""

from collections.abc import Generator
from contextlib import closing
from functools import partial

import numpy as np

from services.video_worker.handler import VideoBranch
from services.video_worker.settings import VideoWorkerSettings
from shared.contracts.jobs import SegmentPlanned
from shared.contracts.topics import VIDEO_EVENTS
from shared.inference.decoding import segment_windows
from shared.inference.segments import SegmentHandler
from shared.inference.service import Ports, run_service
from shared.inference.sources import open_media
from shared.media.faces import FaceWindow, track_faces
from shared.media.sources import ByteSource
from shared.media.windows import VideoWindow
from shared.messaging.handlers import Handler
from shared.messaging.loop_settings import LoopSettings


def main() -> None:
    settings = VideoWorkerSettings()

    def make_handler(ports: Ports) -> Handler:
        _warm_up(ports)
        branch = VideoBranch(partial(open_media, ports.store), ports.bundles, partial(_find_faces, ports))
        return SegmentHandler(branch, batch=settings.batch_windows, open_at_once=settings.open_segments)

    run_service(
        "video-worker", VIDEO_EVENTS.name, settings, make_handler, parts=("video",),
        loop=LoopSettings(max_batch=settings.batch_segments),
    )


def _find_faces(
    ports: Ports, source: ByteSource, segment: SegmentPlanned
) -> Generator[FaceWindow, None, None]:
    with closing(segment_windows("video", source, segment, ports.limits)) as windows:
        yield from track_faces(windows)


def _warm_up(ports: Ports) -> None:
    """The first call of a detector or a kernel costs seconds; pay before the first job."""
    list(track_faces([VideoWindow(0, np.zeros((5, 256, 256, 3), np.uint8))]))
    ports.bundles.current.detector.encode_video(np.zeros((1, 5, 224, 224, 3), np.uint8))


if __name__ == "__main__":
    main()
