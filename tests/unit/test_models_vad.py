import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from shared.models.vad import speech_mask

RNG = np.random.default_rng(0)
TIME = np.arange(16_000) / 16_000


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(16_000),
        RNG.standard_normal(16_000) * 0.1,
        np.sin(2 * np.pi * 440 * TIME) * 0.3,
        sum(np.sin(2 * np.pi * f * TIME) for f in (261.6, 329.6, 392.0)) * 0.1,
        np.ones(16_000) * 0.5,
    ],
    ids=["silence", "noise", "tone", "chord", "constant"],
)
def test_what_is_no_speech_is_not_taken_for_it(samples: NDArray[np.float64]) -> None:
    mask, fraction = speech_mask(samples.astype(np.float32), 16_000)
    assert mask.shape == (50,)
    assert mask.dtype == np.uint8
    assert fraction == 0.0


def test_padding_is_never_speech() -> None:
    mask, fraction = speech_mask(RNG.standard_normal(16_000).astype(np.float32), 0)
    assert not mask.any()
    assert fraction == 0.0


def test_the_same_samples_give_the_same_mask_whatever_came_before() -> None:
    first, other = (RNG.standard_normal(16_000).astype(np.float32) for _ in range(2))
    before = speech_mask(first, 16_000)
    speech_mask(other, 16_000)
    after = speech_mask(first, 16_000)
    assert np.array_equal(before[0], after[0])
    assert before[1] == after[1]


def test_listening_leaves_the_thread_count_alone() -> None:
    before = torch.get_num_threads()
    speech_mask(np.zeros(16_000, np.float32), 16_000)
    assert torch.get_num_threads() == before
