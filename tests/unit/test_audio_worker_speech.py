"""The audio worker's own part: sound to a payload, payloads to tokens."""

from collections.abc import Generator

import numpy as np
import pytest
from numpy.typing import NDArray

from services.audio_worker.handler import AudioBranch, Speech
from shared.contracts.embeddings import Embedding
from shared.contracts.jobs import SegmentPlanned
from shared.contracts.outcomes import InvalidRecord
from shared.inference.segments import SegmentHandler
from shared.media.sources import ByteSource, MemorySource
from shared.media.windows import AudioWindow
from shared.models.bundle import BundlePool
from tests.support.model_bundles import compact
from tests.support.segments import records, segment, task

RATE = 16_000
Mask = NDArray[np.uint8]


def loud_is_speech(samples: NDArray[np.float32], valid: int) -> tuple[Mask, float]:
    mask = (np.abs(samples.reshape(50, 320)).max(axis=1) > 0.1).astype(np.uint8)
    return mask, float(mask.mean())


def branch_over(*windows: AudioWindow) -> AudioBranch:
    def decode(source: ByteSource, planned: SegmentPlanned) -> Generator[AudioWindow, None, None]:
        yield from windows

    return AudioBranch(lambda uri, size: MemorySource(b""), BundlePool(compact()), decode, loud_is_speech)


def noise(seconds: float = 1.0) -> NDArray[np.float32]:
    samples = np.zeros(RATE, np.float32)
    count = int(seconds * RATE)
    samples[:count] = np.random.default_rng(1).uniform(-1, 1, count)
    return samples


def run(branch: AudioBranch, count: int) -> dict[int, Embedding]:
    planned = segment(count=count, digest=compact().manifest.digest)
    return records(SegmentHandler(branch)([task(planned)]))


def test_speech_becomes_tokens_with_the_mask_of_what_is_speech() -> None:
    found = run(branch_over(AudioWindow(0, noise(0.5), RATE)), 1)[0]
    tokens, mask = found.tensors["tokens"], found.tensors["mask"]
    assert found.status == "ok"
    assert found.speech == pytest.approx(0.5, abs=0.02)
    assert tokens.dtype == np.float16
    assert tokens.shape == (mask.shape[0], 512)
    assert mask[: len(mask) // 2 - 1].all()
    assert not mask[len(mask) // 2 + 1 :].any()
    assert found.runtime == compact().detector.runtime


def test_silence_is_absent_and_says_that_nobody_spoke() -> None:
    found = run(branch_over(AudioWindow(0, np.zeros(RATE, np.float32), RATE)), 1)[0]
    assert (found.status, found.reason, found.speech) == ("absent", "no_speech", 0.0)
    assert found.tensors == {}


@pytest.mark.parametrize(("reason", "status"), [("past_end", "absent"), ("decode_failed", "failed")])
def test_a_window_without_sound_keeps_the_decoders_reason(reason: str, status: str) -> None:
    found = run(branch_over(AudioWindow(0, None, reason=reason)), 1)[0]
    assert (found.status, found.reason) == (status, reason)


def test_tokens_do_not_depend_on_what_else_is_in_the_batch() -> None:
    branch = branch_over()
    digest = compact().manifest.digest
    one = Speech(noise(), RATE, np.ones(50, np.uint8))
    other = Speech(noise(0.3)[::-1].copy(), 12_000, np.ones(50, np.uint8))
    alone = branch.encode(digest, [one])[0]
    together = branch.encode(digest, [other, one, other])[1]
    assert alone["tokens"].tobytes() == together["tokens"].tobytes()


def test_a_bundle_that_is_not_resident_is_refused() -> None:
    with pytest.raises(InvalidRecord, match="wrong_bundle"):
        branch_over().runtime("sha256:other")
