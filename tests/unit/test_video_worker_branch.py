"""Each face of a window gets its embedding and keeps its transforms."""

from collections.abc import Generator
from typing import Any, cast

import numpy as np

from services.video_worker.handler import VideoBranch
from shared.contracts.jobs import MediaInfo, MediaRef, SegmentPlanned
from shared.media.faces import Face, FaceWindow
from shared.models.bundle import BundlePool, load_bundle

SEGMENT = SegmentPlanned.model_construct(
    media=MediaRef(uri="s3://b/k"),
    info=MediaInfo(sha256="0", size=1, container="mp4", duration_s=3, has_video=True, has_audio=False),
)


def _face(seed: int) -> Face:
    random = np.random.default_rng(seed)
    return Face(
        seed, random.integers(0, 256, (5, 224, 224, 3), dtype=np.uint8),
        random.normal(size=(5, 2, 3)).astype(np.float32), np.zeros((5, 4), np.float32),
    )


def _branch(*windows: FaceWindow, bundles: BundlePool | None = None) -> VideoBranch:
    def find(source: Any, segment: SegmentPlanned) -> Generator[FaceWindow, None, None]:
        yield from windows

    return VideoBranch(lambda where, size: cast(Any, None), bundles or BundlePool(), find)


def test_a_window_without_a_face_says_so_and_counts_none() -> None:
    (window,) = _branch(FaceWindow(0, (), "no_face")).windows(SEGMENT)
    assert (window.payload, window.reason, window.faces) == (None, "no_face", 0)


def test_a_window_that_could_not_be_decoded_knows_of_no_faces() -> None:
    (window,) = _branch(FaceWindow(0, (), "decode_failed")).windows(SEGMENT)
    assert (window.payload, window.reason, window.faces) == (None, "decode_failed", None)


def test_faces_keep_their_order_embeddings_and_transforms_across_a_batch() -> None:
    bundle = load_bundle("compact", dtype="float32", threads=1, parts=("video",))
    digest = bundle.manifest.digest
    branch = _branch(bundles=BundlePool(bundle))
    first, second = (_face(1), _face(2)), (_face(3),)
    together = branch.encode(digest, [first, second])
    alone = [branch.encode(digest, [faces])[0] for faces in (first, second)]
    assert [t["embedding"].shape for t in together] == [(2, 2048), (1, 2048)]
    for one, other, faces in zip(together, alone, (first, second), strict=True):
        assert one["embedding"].tobytes() == other["embedding"].tobytes()
        assert one["transforms"].tobytes() == np.stack([f.transforms for f in faces]).tobytes()
