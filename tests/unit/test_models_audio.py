"""Both audio encoders: padding changes nothing, and gradients flow only where they may."""

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import nn

from shared.models.audio_encoder import Wav2Vec2Encoder, encode_padded, token_encoder, token_mask
from shared.models.filterbank import FilterbankEncoder
from tests.support.model_bundles import AUDIO_CONFIG, sounds

VALID = torch.tensor([16_000, 9_001, 16_000, 400, 12_345, 150, 0])


@pytest.fixture(scope="module", params=["wav2vec2", "filterbank"])
def encoder(request: pytest.FixtureRequest) -> Iterator[nn.Module]:
    torch.manual_seed(3)
    made: nn.Module = Wav2Vec2Encoder(AUDIO_CONFIG) if request.param == "wav2vec2" else FilterbankEncoder(8)
    yield made.eval()


def padded_batch(fill: float = 0.0) -> torch.Tensor:
    batch = torch.from_numpy(sounds(len(VALID)))
    for row, valid in enumerate(VALID.tolist()):
        batch[row, valid:] = fill
    return batch


@torch.no_grad()
def test_a_batch_of_different_lengths_equals_one_by_one(encoder: nn.Module) -> None:
    batch = padded_batch()
    together = encode_padded(token_encoder(encoder), batch, VALID)
    for row, valid in enumerate(VALID.tolist()):
        if valid >= 400:
            alone = encoder(batch[row : row + 1, :valid])[0]
            torch.testing.assert_close(together[row, : len(alone)], alone, atol=1e-5, rtol=0)
            assert not together[row, len(alone) :].any()


@torch.no_grad()
def test_what_lies_in_the_padding_changes_no_result(encoder: nn.Module) -> None:
    zeros = encode_padded(token_encoder(encoder), padded_batch(0.0), VALID)
    noise = encode_padded(token_encoder(encoder), padded_batch(0.7), VALID)
    assert torch.equal(zeros, noise)


@torch.no_grad()
def test_longer_padding_changes_no_token(encoder: nn.Module) -> None:
    batch = padded_batch()
    wider = nn.functional.pad(batch, (0, 5_000))
    short = encode_padded(token_encoder(encoder), batch, VALID)
    assert torch.equal(encode_padded(token_encoder(encoder), wider, VALID)[:, : short.shape[1]], short)


def test_tokens_are_as_many_as_announced(encoder: nn.Module) -> None:
    for samples in (400, 401, 5_000, 15_999, 16_000):
        with torch.no_grad():
            tokens = encoder(torch.zeros(1, samples))
        assert tokens.shape == (1, token_encoder(encoder).tokens(samples), 512)


def test_a_token_is_speech_if_any_sound_under_it_is(encoder: nn.Module) -> None:
    speech = torch.zeros(3, 50, dtype=torch.uint8)
    speech[0, 10], speech[2] = 1, 1
    mask = token_mask(token_encoder(encoder), speech, torch.tensor([16_000, 16_000, 8_000]))
    assert 1 <= int(mask[0].sum()) <= 2
    assert not mask[1].any()
    assert int(mask[2].sum()) == token_encoder(encoder).tokens(8_000)


def test_every_20_ms_of_speech_reaches_a_token(encoder: nn.Module) -> None:
    speech = torch.eye(50, dtype=torch.uint8)
    mask = token_mask(token_encoder(encoder), speech, torch.full((50,), 16_000))
    assert mask.any(dim=1).all()
    assert mask.any(dim=0).all()


def learning(module: nn.Module) -> set[str]:
    torch.manual_seed(5)
    cast(Any, module)(torch.from_numpy(sounds(2))).square().mean().backward()
    return {n for n, p in module.named_parameters() if p.grad is not None and bool(p.grad.any())}


def test_gradients_flow_only_into_the_last_four_blocks_and_the_projection() -> None:
    encoder = Wav2Vec2Encoder(AUDIO_CONFIG, pretrained=True).eval()
    parts = {name.split(".")[3] if ".layers." in name else name.split(".")[0] for name in learning(encoder)}
    assert parts == {"8", "9", "10", "11", "projection"}


def test_random_blocks_are_not_frozen() -> None:
    encoder = Wav2Vec2Encoder(AUDIO_CONFIG, pretrained=False).eval()
    assert all(p.requires_grad for p in encoder.parameters())
    assert any(name.startswith("backbone.encoder.layers.0.") for name in learning(encoder))
    assert any(name.startswith("backbone.feature_extractor.") for name in learning(encoder))


def test_gradients_reach_the_samples_through_frozen_parts() -> None:
    encoder = Wav2Vec2Encoder(AUDIO_CONFIG, pretrained=True).eval()
    samples = torch.from_numpy(sounds(1)).requires_grad_()
    encoder(samples)[0, :, 0].sum().backward()
    assert samples.grad is not None
    assert bool(samples.grad.any())


@torch.no_grad()
def test_loudness_does_not_change_the_compact_tokens_much() -> None:
    encoder = FilterbankEncoder(8).eval()
    quiet = torch.from_numpy(sounds(1)) * 0.5
    difference = (encoder(quiet) - encoder(quiet * 2)).abs().max()
    assert difference < 0.05 * encoder(quiet).abs().max()
    assert np.isfinite(encoder(quiet * 0).numpy()).all()
