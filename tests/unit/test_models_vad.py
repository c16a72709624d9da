from pathlib import Path

import av
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from shared.models.vad import speech_mask

RNG = np.random.default_rng(0)
DEMO = Path(__file__).parents[2] / "deploy" / "local" / "demo" / "clip.mp4"
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


def spoken() -> NDArray[np.float32]:
    """Whole seconds of the demo clip's sound at 16 kHz: sentences with short pauses."""
    resampler = av.AudioResampler("flt", "mono", 16_000)
    with av.open(str(DEMO)) as container:
        blocks = [b.to_ndarray()[0] for f in container.decode(audio=0) for b in resampler.resample(f)]
    samples = np.concatenate(blocks).astype(np.float32)
    return samples[: len(samples) // 16_000 * 16_000]


def test_speech_is_heard_and_inserted_pauses_are_not() -> None:
    voice = spoken()
    mask, fraction = speech_mask(voice, len(voice))
    assert fraction > 0.4
    hush = np.zeros(16_000, np.float32)
    halves = np.concatenate([voice[:64_000], hush, voice[64_000:]])
    paused, _ = speech_mask(halves, len(halves))
    assert paused[200 + 10 : 250].mean() < 0.1  # the network lets go within 0.2 s
    assert paused[250:].mean() > 0.5 * mask[200:].mean()


def test_speech_is_heard_in_windows_taken_alone() -> None:
    voice = spoken()
    whole, _ = speech_mask(voice, len(voice))
    alone = np.concatenate([speech_mask(w, len(w))[0] for w in np.split(voice, len(voice) // 16_000)])
    assert float((alone == whole[: len(alone)]).mean()) > 0.85
