"""Sound of a segment to tokens: one record for every planned window."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shared.contracts.embeddings import Tensors
from shared.contracts.jobs import SegmentPlanned
from shared.inference.windows import Window
from shared.media.sources import ByteSource
from shared.media.windows import AudioWindow
from shared.models.bundle import BundlePool

DecodeAudio = Callable[[ByteSource, SegmentPlanned], Generator[AudioWindow, None, None]]
SpeechMask = Callable[[NDArray[np.float32], int], tuple[NDArray[np.uint8], float]]


@dataclass(frozen=True)
class Speech:
    """samples: (16000,) float32; valid: how many are no padding; mask: (50,) uint8, 1 where 20 ms speak."""

    samples: NDArray[np.float32]
    valid: int
    mask: NDArray[np.uint8]


class AudioBranch:
    """Satisfies `inference.windows.Branch`. A window without speech is absent: silence decides nothing."""

    modality: Literal["audio"] = "audio"

    def __init__(
        self, open_media: Callable[[str, int], ByteSource], bundles: BundlePool,
        decode: DecodeAudio, speech_mask: SpeechMask,
    ) -> None:
        self._open, self._bundles, self._decode, self._speech_mask = open_media, bundles, decode, speech_mask

    def windows(self, segment: SegmentPlanned) -> Generator[Window[Speech], None, None]:
        source = self._open(segment.media.uri, segment.info.size)
        with closing(self._decode(source, segment)) as decoded:
            for window in decoded:
                yield self._listen(window)

    def weight(self, payload: Speech) -> int:
        return 1

    def runtime(self, digest: str) -> str:
        return self._bundles.get(digest).detector.runtime

    def encode(self, digest: str, payloads: Sequence[Speech]) -> Sequence[Tensors]:
        detector = self._bundles.get(digest).detector
        valid = np.array([p.valid for p in payloads], np.int64)
        tokens = detector.encode_audio(np.stack([p.samples for p in payloads]), valid)
        masks = detector.token_mask(np.stack([p.mask for p in payloads]), valid)
        return [{"tokens": t, "mask": m} for t, m in zip(tokens, masks, strict=True)]

    def _listen(self, window: AudioWindow) -> Window[Speech]:
        if window.samples is None:
            return Window(window.index, reason=window.reason)
        mask, fraction = self._speech_mask(window.samples, window.valid)
        if not mask.any():
            return Window(window.index, reason="no_speech", speech=0.0)
        return Window(window.index, Speech(window.samples, window.valid, mask), speech=fraction)
