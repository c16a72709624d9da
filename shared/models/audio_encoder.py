"""Sound of one window -> tokens (batch, A, 512). Model contract, Decision 1 and method 1.1."""

from collections.abc import Callable
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from shared.models.windows import AUDIO_DIM, SAMPLES

MIN_SAMPLES = 400  # one receptive field of both encoders: 25 ms
FROZEN_BLOCKS = 8


class TokenEncoder(Protocol):
    """What both encoders are: tokens of samples that hold no padding."""

    full_windows_at_once: int
    """How many windows of exactly 1 s go together on a CPU: 1, or what was found to change no bit."""

    def tokens(self, samples: int) -> int:
        """How many tokens that many samples give."""

    def __call__(self, samples: Tensor) -> Tensor:
        """samples: (batch, N) float32, all valid. Returns (batch, tokens(N), 512)."""


class Wav2Vec2Encoder(nn.Module):
    """wav2vec2 hidden states and a learnable projection to 512; input is the raw waveform."""

    full_windows_at_once = 1  # 8 where `bundle.load_bundle` finds that safe: 1.7 times as fast

    def __init__(self, config: dict[str, Any], *, pretrained: bool = False) -> None:
        """config: of `transformers.Wav2Vec2Config`. Only pretrained parts are frozen: frozen random
        blocks would be frozen noise."""
        from transformers import Wav2Vec2Config, Wav2Vec2Model

        super().__init__()
        self.backbone = Wav2Vec2Model(Wav2Vec2Config.from_dict(config))
        self.projection = nn.Linear(self.backbone.config.hidden_size, AUDIO_DIM)
        self.pretrained = pretrained
        if pretrained:
            self.freeze()

    def freeze(self) -> None:
        """Freezes the feature extractor, its projection, and the first 8 transformer blocks. Gradients
        still pass through them to the samples."""
        backbone: Any = self.backbone
        encoder = backbone.encoder
        below = (backbone.feature_extractor, backbone.feature_projection, encoder.pos_conv_embed)
        for module in (*below, encoder.layer_norm, *encoder.layers[:FROZEN_BLOCKS]):
            module.requires_grad_(False)

    def tokens(self, samples: int) -> int:
        backbone: Any = self.backbone
        return int(backbone._get_feat_extract_output_lengths(samples))

    def forward(self, samples: Tensor) -> Tensor:
        """As `TokenEncoder`. Each row is brought to zero mean and unit variance, as in pretraining."""
        mean = samples.mean(dim=1, keepdim=True)
        scale = (samples.var(dim=1, keepdim=True, correction=0) + 1e-7).rsqrt()
        waveform = ((samples - mean) * scale).to(self.projection.weight.dtype)
        hidden = self.backbone(waveform).last_hidden_state  # (batch, A, 768)
        return cast(Tensor, self.projection(hidden))


def token_encoder(module: nn.Module | None) -> TokenEncoder:
    """Raises `RuntimeError` where the model was loaded without its audio encoder."""
    if module is None:
        raise RuntimeError("this model was loaded without its audio encoder")
    return cast(TokenEncoder, module)


def encode_padded(
    encoder: TokenEncoder,
    samples: Tensor,
    valid: Tensor,
    run: Callable[[TokenEncoder, Tensor, int], Tensor] = lambda encoder, rows, _: encoder(rows),
) -> Tensor:
    """Tokens of a padded batch, in which padding changes no result.

    samples: (batch, N) float32; valid: (batch,) int64; run: how to run a group, given how many rows
    at once are safe (`runtime.in_chunks`). Returns (batch, tokens(N), 512), zero past each row's
    own tokens. Rows are encoded in groups of the same valid length, without their padding:
    wav2vec2-base's first layer normalises over the whole of time, so that an attention mask alone
    would let padding leak in.
    """
    full = encoder.tokens(max(samples.shape[1], MIN_SAMPLES))
    out: Tensor | None = None
    for length in sorted(set(valid.tolist()) - {0}):
        rows = (valid == length).nonzero().squeeze(1)
        group = samples[rows, :length]
        if length < MIN_SAMPLES:
            group = nn.functional.pad(group, (0, MIN_SAMPLES - length))
        encoded = run(encoder, group, encoder.full_windows_at_once if length == SAMPLES else 1)
        if out is None:
            out = encoded.new_zeros(len(samples), full, AUDIO_DIM)
        out = out.index_copy(0, rows, nn.functional.pad(encoded, (0, 0, 0, full - encoded.shape[1])))
    return samples.new_zeros(len(samples), full, AUDIO_DIM) if out is None else out


def token_mask(encoder: TokenEncoder, speech: Tensor, valid: Tensor) -> Tensor:
    """speech: (batch, S) of 20 ms; valid: (batch,) samples of 16 000. Returns (batch, A) bool.

    A token counts as speech if any 20 ms under it is, and if it lies within the valid samples.
    """
    total = encoder.tokens(SAMPLES)
    steps = speech.shape[1]
    token = torch.arange(total)
    first = token * steps // total
    last = torch.clamp((token + 1) * steps // total, min=1)
    heard = torch.nn.functional.pad(speech.bool().long().cumsum(1), (1, 0))
    mask = heard[:, torch.maximum(last, first + 1)] > heard[:, first]
    ends = [encoder.tokens(max(int(n), MIN_SAMPLES)) if n else 0 for n in valid.tolist()]
    return mask & (token[None, :] < torch.tensor(ends)[:, None])
