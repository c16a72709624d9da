"""Silence decides nothing, and tokens come with the mask of speech."""

from collections.abc import Generator
from typing import Any, cast

import numpy as np

from services.audio_worker.handler import AudioBranch, Speech
from shared.contracts.jobs import MediaInfo, MediaRef, SegmentPlanned
from shared.media.windows import AudioWindow
from shared.models.bundle import BundlePool, load_bundle

SILENCE, SOUND = np.zeros(16_000, np.float32), np.full(16_000, 0.1, np.float32)
SEGMENT = SegmentPlanned.model_construct(
    media=MediaRef(uri="s3://b/k"),
    info=MediaInfo(sha256="0", size=1, container="wav", duration_s=3, has_video=False, has_audio=True),
)


def _branch(*windows: AudioWindow, bundles: BundlePool | None = None) -> AudioBranch:
    def decode(source: Any, segment: SegmentPlanned) -> Generator[AudioWindow, None, None]:
        yield from windows

    def loud(samples: Any, valid: int) -> Any:
        mask = np.full(50, samples.any(), np.uint8)
        return mask, float(mask.mean())

    return AudioBranch(lambda where, size: cast(Any, None), bundles or BundlePool(), decode, loud)


def test_silence_is_absent_with_no_speech_at_all() -> None:
    (window,) = _branch(AudioWindow(0, SILENCE, 16_000)).windows(SEGMENT)
    assert (window.payload, window.reason, window.speech) == (None, "no_speech", 0.0)


def test_what_could_not_be_decoded_keeps_its_reason() -> None:
    (window,) = _branch(AudioWindow(0, None, reason="decode_failed")).windows(SEGMENT)
    assert (window.payload, window.reason) == (None, "decode_failed")


def test_speech_becomes_tokens_with_a_mask_of_the_same_length() -> None:
    bundle = load_bundle("compact", dtype="float32", threads=1, parts=("audio",))
    branch = _branch(AudioWindow(0, SOUND, 16_000), bundles=BundlePool(bundle))
    (window,) = branch.windows(SEGMENT)
    assert isinstance(window.payload, Speech)
    (tensors,) = branch.encode(bundle.manifest.digest, [window.payload])
    assert tensors["tokens"].shape == (bundle.detector.audio_tokens, 512)
    assert tensors["tokens"].dtype == np.float16
    assert tensors["mask"].tolist() == [1] * bundle.detector.audio_tokens
