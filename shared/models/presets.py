"""Named models. A preset overlays only what differs from the contract's (model contract v1.0)."""

from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from shared.models.errors import BundleError

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Preset:
    """The contract's sizes are the defaults; 2048 and 512 at the edges never change."""

    name: str = "contract-v1"
    audio: Literal["wav2vec2", "filterbank"] = "wav2vec2"
    video: Literal["efficientnet", "residual"] = "efficientnet"
    temporal: Literal["conv", "transformer"] = "conv"
    flow: bool = False  # 5 input channels: RGB + dx, dy
    fusion: Literal["cross_attention", "literal", "concat"] = "cross_attention"
    fusion_width: int = 2048
    attention_heads: int = 4
    gate_hidden: int = 512
    head_hidden: int = 512
    dropout: float = 0.2
    members: int = 32  # dropout members of the interval
    audio_width: int = 32  # first channels of the filterbank encoder
    video_width: int = 24  # first channels of the residual encoder
    pixel_mean: Triple = (0.485, 0.456, 0.406)
    pixel_std: Triple = (0.47853944, 0.4732864, 0.47434163)  # what EfficientNet's authors used


CONTRACT_V1 = Preset()
PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        CONTRACT_V1,
        replace(CONTRACT_V1, name="contract-v1-transformer", temporal="transformer"),
        replace(CONTRACT_V1, name="contract-v1-flow", flow=True),
        replace(CONTRACT_V1, name="concat-baseline", fusion="concat"),
        replace(CONTRACT_V1, name="seed-fusion", fusion="literal"),
        replace(
            CONTRACT_V1, name="compact", audio="filterbank", video="residual",
            fusion_width=256, gate_hidden=64, head_hidden=128,
            pixel_mean=(0.5, 0.5, 0.5), pixel_std=(0.25, 0.25, 0.25),
        ),
    )
}


def preset_named(name: str, overlay: dict[str, Any] | None = None) -> Preset:
    """The preset with the overlay's fields replaced. Raises `BundleError` on an unknown name or field."""
    if name not in PRESETS:
        raise BundleError(f"preset {name!r} is none of {', '.join(PRESETS)}")
    known = {field.name: field.type for field in fields(Preset)}
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in (overlay or {}).items()
    }
    for key, value in values.items():
        if key not in known or key == "name" or type(value) is not type(getattr(CONTRACT_V1, key)):
            raise BundleError(f"preset {name}: {key}={value!r} is no such setting")
    return replace(PRESETS[name], **values)
