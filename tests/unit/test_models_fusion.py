"""Decision 3: cross-modal attention, its two corrections, and what it is compared with."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from shared.models.fusion import CrossAttention
from shared.models.model import FusionScorer, Scores
from shared.models.presets import PRESETS, preset_named

YES, NO = torch.tensor([True, True]), torch.tensor([False, False])
FORMS = ["contract-v1", "seed-fusion", "concat-baseline", "compact"]


def scorer(name: str) -> FusionScorer:
    torch.manual_seed(4)
    small = replace(PRESETS[name], fusion_width=64, gate_hidden=16, head_hidden=32, members=8)
    return FusionScorer(small).eval()


def inputs(times: int = 1, tokens: int = 6, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    video = torch.randn(2, times, 2048, generator=generator)
    audio = torch.randn(2, tokens, 512, generator=generator)
    return video, audio, torch.ones(2, tokens, dtype=torch.bool)


def finite(scores: Scores) -> bool:
    return all(bool(torch.isfinite(s).all()) for s in scores if s is not None)


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> FusionScorer:
    return scorer(request.param)


@torch.no_grad()
def test_attention_weights_are_exposed_by_head_and_time() -> None:
    video, audio, mask = inputs(times=3, tokens=6)
    mask[0, 4:] = False
    attention = scorer("contract-v1")(video, audio, mask, YES, YES).attention
    assert attention.shape == (2, 4, 3, 6)
    torch.testing.assert_close(attention.sum(dim=3), torch.ones(2, 4, 3))
    assert not attention[0, :, :, 4:].any()


@torch.no_grad()
def test_the_fused_vector_has_the_contracts_size() -> None:
    torch.manual_seed(0)
    fused = CrossAttention(2048, 4, 512).eval()(*inputs())
    assert fused.vector.shape == (2, 2048 + 512)


@torch.no_grad()
@pytest.mark.parametrize("tokens", [1, 6])
def test_the_picture_acts_even_beside_a_single_audio_token(tokens: int) -> None:
    _, audio, mask = inputs(tokens=tokens)
    model = scorer("contract-v1").fusion
    first, second = (model(inputs(seed=s)[0], audio, mask).vector for s in (1, 2))
    assert float((first - second).abs().max()) > 0.1


@torch.no_grad()
def test_in_the_literal_form_the_picture_does_not_act_beside_a_single_audio_token() -> None:
    _, audio, mask = inputs(tokens=1)
    model = scorer("seed-fusion").fusion
    first, second = (model(inputs(seed=s)[0], audio, mask).vector for s in (1, 2))
    assert float((first - second).abs().max()) < 1e-6


@torch.no_grad()
def test_wholly_masked_sound_is_finite_and_the_same_as_none(form: FusionScorer) -> None:
    video, audio, mask = inputs()
    masked = form(video, audio, ~mask, YES, YES)
    unused = form(video, audio, mask, YES, NO)
    assert finite(masked)
    assert torch.equal(masked.fused, unused.fused)


@torch.no_grad()
def test_an_unused_modality_changes_nothing_whatever_it_holds(form: FusionScorer) -> None:
    video, audio, mask = inputs()
    other_video, other_audio, _ = inputs(seed=9)
    silent = form(video, audio, mask, YES, NO), form(video, other_audio, mask, YES, NO)
    blind = form(video, audio, mask, NO, YES), form(other_video, audio, mask, NO, YES)
    assert torch.equal(silent[0].fused, silent[1].fused)
    assert torch.equal(blind[0].fused, blind[1].fused)
    assert finite(blind[0])


@torch.no_grad()
def test_masked_tokens_change_nothing(form: FusionScorer) -> None:
    video, audio, mask = inputs()
    mask[:, 3:] = False
    changed = audio.clone()
    changed[:, 3:] = 100.0
    before, after = form(video, audio, mask, YES, YES), form(video, changed, mask, YES, YES)
    torch.testing.assert_close(before.fused, after.fused, atol=1e-5, rtol=0)
    torch.testing.assert_close(before.audio, after.audio, atol=1e-5, rtol=0)


def test_absence_is_learned_where_it_is_used() -> None:
    model = scorer("contract-v1")
    video, audio, mask = inputs()
    model(video, audio, mask, torch.tensor([True, False]), torch.tensor([False, True])).fused.sum().backward()
    assert model.absent.video.grad is not None
    assert model.absent.audio.grad is not None
    assert bool(model.absent.video.grad.any())
    assert bool(model.absent.audio.grad.any())


def test_in_the_literal_form_absence_is_zero_and_not_learned() -> None:
    absent = scorer("seed-fusion").absent
    assert not absent.video.any()
    assert not any(p.requires_grad for p in absent.parameters())


@torch.no_grad()
def test_members_scatter_around_the_score_and_are_always_the_same(form: FusionScorer) -> None:
    video, audio, mask = inputs()
    first, second = (form(video, audio, mask, YES, YES) for _ in range(2))
    assert first.members.shape == (2, 8)
    assert torch.equal(first.members, second.members)
    assert bool((first.members.std(dim=1) > 0).all())


def test_every_weight_of_the_fusion_learns(form: FusionScorer) -> None:
    video, audio, mask = inputs()
    scores = form(video, audio, mask, torch.tensor([True, False]), torch.tensor([False, True]))
    mixed = form(video, audio, mask, YES, YES)
    (mixed.fused + scores.fused + mixed.video + mixed.audio).sum().backward()
    idle = {n for n, p in form.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.any())}
    assert idle == set()


def test_presets_differ_from_the_contract_only_where_they_say() -> None:
    contract = PRESETS["contract-v1"]
    assert replace(PRESETS["seed-fusion"], name="contract-v1", fusion="cross_attention") == contract
    assert replace(PRESETS["concat-baseline"], name="contract-v1", fusion="cross_attention") == contract
    assert preset_named("compact", {"fusion_width": 32}).fusion_width == 32
