"""Makes a bundle folder: `python -m shared.models.make_bundle --preset contract-v1 --audio DIR_OR_HUB
--video DIR_OR_HUB --to DIR`. Without pretrained backbones, `--random` must say so."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, cast

import torch

from shared.contracts.base import Modality
from shared.models.backbones import config_of, load_backbone
from shared.models.errors import BundleError
from shared.models.location import Fetch
from shared.models.model import DeepfakeModel
from shared.models.presets import Preset, preset_named
from shared.models.schema import BundleManifest
from shared.models.sealing import seal
from shared.models.video_encoder import FrameBackbone, initialise, silence_flow, video_encoder
from shared.models.weights import save_parts
from shared.models.windows import AUDIO_DIM, VIDEO_DIM

LICENCE = "Apache-2.0"
MODALITIES: tuple[Modality, ...] = ("audio", "video")


def make_bundle(
    to: Path,
    preset: str,
    *,
    sources: dict[Modality, str | None] | None = None,
    configs: dict[Modality, dict[str, Any]] | None = None,
    overlay: dict[str, Any] | None = None,
    name: str | None = None,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
    licence: str = LICENCE,
    fetch: Fetch | None = None,
) -> BundleManifest:
    """Writes an untrained bundle: backbones from `sources` where given, the rest random from `seed`.

    configs: of random backbones, for other sizes than the contract's. Raises `BundleError`.
    """
    chosen = preset_named(preset, overlay)
    found = {m: source for m, source in (sources or {}).items() if source}
    needed = [m for m in MODALITIES if _has_backbone(chosen, m)]
    if unknown := found.keys() - needed:
        raise BundleError(f"preset {preset} has no pretrained {' or '.join(unknown)} backbone")
    backbones = {m: (configs or {}).get(m) or config_of(m, found.get(m), fetch) for m in needed}
    torch.manual_seed(seed)
    model = DeepfakeModel(chosen, backbones)
    if "video" not in found:
        frames = video_encoder(model.video).frames
        initialise(frames)
        silence_flow(cast(FrameBackbone, frames))
    for modality in needed:
        if modality in found:
            part: Any = model.audio if modality == "audio" else cast(Any, model.video).frames
            load_backbone(part.backbone, modality, found[modality], fetch)
    to.mkdir(parents=True, exist_ok=True)
    save_parts(model, to, dtype)
    pretrained = {m: _named(found.get(m)) for m in needed}
    manifest = BundleManifest(
        name=name or preset, preset=preset, overlay=overlay or {}, backbones=backbones,
        pretrained=pretrained, weights=(), trained=False, training=_statement(pretrained, seed),
        licence=licence, sizes=_sizes(model, chosen),
    )
    return seal(to, manifest)


def _has_backbone(preset: Preset, modality: Modality) -> bool:
    return preset.audio == "wav2vec2" if modality == "audio" else preset.video == "efficientnet"


def _named(source: str | None) -> str | None:
    """A folder by its name alone: its path is nobody else's business."""
    return Path(source).name if source and Path(source).expanduser().is_dir() else source


def _statement(pretrained: dict[Modality, str | None], seed: int) -> str:
    parts = [f"{m} backbone pretrained ({source})" for m, source in pretrained.items() if source]
    random = "all other weights are" if parts else "every weight is"
    said = "".join(f"{part}; " for part in parts)
    return f"Untrained: {said}{random} random (seed {seed}). Its scores mean nothing."


def _sizes(model: DeepfakeModel, preset: Preset) -> dict[str, Any]:
    encoder = cast(Any, model.audio)
    return {
        "audio_tokens": [encoder.tokens(16_000), AUDIO_DIM], "video_embedding": [VIDEO_DIM],
        "frames": [5, 5 if preset.flow else 3, 224, 224], "samples": [16_000],
        "fused": [cast(Any, model.scorer).fusion.size],
        "parameters": sum(p.numel() for p in model.parameters()),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make_bundle", description=__doc__)
    parser.add_argument("--preset", required=True)
    parser.add_argument("--audio", help="wav2vec2: a folder written by save_pretrained, or a hub name")
    parser.add_argument("--video", help="EfficientNet, likewise")
    parser.add_argument("--random", action="store_true", help="allow backbones without pretrained weights")
    parser.add_argument("--to", required=True, type=Path)
    parser.add_argument("--name")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dtype", choices=("float32", "float16", "bfloat16"), default="float32")
    parser.add_argument("--licence", default=LICENCE)
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=JSON", help="overlay a preset")
    options = parser.parse_args(arguments)
    try:
        overlay = {k: json.loads(v) for k, _, v in (one.partition("=") for one in options.set)}
        sources: dict[Modality, str | None] = {"audio": options.audio, "video": options.video}
        preset = preset_named(options.preset, overlay)
        without = [m for m, source in sources.items() if _has_backbone(preset, m) and not source]
        if without and not options.random:
            raise BundleError(f"give --{' and --'.join(without)}, or --random for untrained backbones")
        manifest = make_bundle(
            options.to, options.preset, sources=sources, overlay=overlay, name=options.name,
            seed=options.seed, dtype=getattr(torch, options.dtype), licence=options.licence,
        )
    except (BundleError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{options.to}: {manifest.name} {manifest.digest}\n{manifest.training}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
