"""The video worker's own part: faces to a payload, payloads to embeddings."""

from collections.abc import Generator

import numpy as np
import pytest

from services.video_worker.handler import VideoBranch
from shared.contracts.embeddings import Embedding
from shared.contracts.jobs import SegmentPlanned
from shared.inference.segments import SegmentHandler
from shared.media.faces import Face, FaceWindow
from shared.media.sources import ByteSource, MemorySource
from shared.models.bundle import BundlePool
from tests.support.model_bundles import compact, faces
from tests.support.segments import records, segment, task


def face(track: int) -> Face:
    transforms = np.full((5, 2, 3), track, np.float32)
    return Face(track, faces(track + 1)[track], transforms, np.zeros((5, 4), np.float32))


def run(*windows: FaceWindow) -> dict[int, Embedding]:
    def find(source: ByteSource, planned: SegmentPlanned) -> Generator[FaceWindow, None, None]:
        yield from windows

    branch = VideoBranch(lambda uri, size: MemorySource(b""), BundlePool(compact()), find)
    planned = segment(count=len(windows), digest=compact().manifest.digest)
    return records(SegmentHandler(branch)([task(planned)]))


def test_each_face_has_its_embedding_and_the_transforms_of_its_crops() -> None:
    found = run(FaceWindow(0, (face(0), face(1), face(2))), FaceWindow(1, (face(1),)))
    assert found[0].tensors["embedding"].shape == (3, 2048)
    assert found[0].tensors["embedding"].dtype == np.float16
    assert found[0].tensors["transforms"].shape == (3, 5, 2, 3)
    assert found[0].tensors["transforms"].dtype == np.float32
    assert (found[0].faces, found[1].faces) == (3, 1)
    assert found[0].tensors["transforms"][2, 0, 0, 0] == 2
    # The second face of the first window is the only one of the second: the same crops, the same bits.
    assert found[0].tensors["embedding"][1].tobytes() == found[1].tensors["embedding"][0].tobytes()


def test_a_window_without_a_face_says_so() -> None:
    found = run(FaceWindow(0, (), "no_face"))[0]
    assert (found.status, found.reason, found.faces) == ("absent", "no_face", 0)


@pytest.mark.parametrize(("reason", "status"), [("past_end", "absent"), ("decode_failed", "failed")])
def test_a_window_without_a_picture_keeps_the_decoders_reason(reason: str, status: str) -> None:
    found = run(FaceWindow(0, (), reason))[0]
    assert (found.status, found.reason, found.faces) == (status, reason, None)


def test_a_record_comes_back_from_its_bytes_as_it_was() -> None:
    found = run(FaceWindow(0, (face(0),)))[0]
    again = Embedding.from_bytes(found.to_bytes())
    assert again.tensors["embedding"].tobytes() == found.tensors["embedding"].tobytes()
    assert len(found.to_bytes()) < 6 * 1024
