"""Faces of a segment to embeddings: one record for every planned window."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Literal

import numpy as np

from shared.contracts.embeddings import Tensors
from shared.contracts.jobs import SegmentPlanned
from shared.inference.windows import Window
from shared.media.faces import Face, FaceWindow
from shared.media.sources import ByteSource
from shared.models.bundle import BundlePool

Faces = tuple[Face, ...]
FindFaces = Callable[[ByteSource, SegmentPlanned], Generator[FaceWindow, None, None]]


class VideoBranch:
    """Satisfies `inference.windows.Branch`. A window without a face says so."""

    modality: Literal["video"] = "video"

    def __init__(
        self, open_media: Callable[[str, int], ByteSource], bundles: BundlePool, find_faces: FindFaces
    ) -> None:
        self._open, self._bundles, self._find_faces = open_media, bundles, find_faces

    def windows(self, segment: SegmentPlanned) -> Generator[Window[Faces], None, None]:
        source = self._open(segment.media.uri, segment.info.size)
        with closing(self._find_faces(source, segment)) as found:
            for window in found:
                count = len(window.faces)
                payload = window.faces or None
                seen = None if window.reason not in ("", "no_face") else count
                yield Window(window.index, payload, reason=window.reason, faces=seen)

    def weight(self, payload: Faces) -> int:
        return len(payload)

    def runtime(self, digest: str) -> str:
        return self._bundles.get(digest).detector.runtime

    def encode(self, digest: str, payloads: Sequence[Faces]) -> Sequence[Tensors]:
        detector = self._bundles.get(digest).detector
        embeddings = detector.encode_video(np.stack([face.crops for faces in payloads for face in faces]))
        ends = np.cumsum([len(faces) for faces in payloads])
        return [
            {"embedding": mine, "transforms": np.stack([face.transforms for face in faces])}
            for mine, faces in zip(np.split(embeddings, ends[:-1]), payloads, strict=True)
        ]
