"""Small real models: `transformers` backbones of toy sizes, written by `save_pretrained` and bundled."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from shared.contracts.base import Modality
from shared.models.bundle import Bundle, load_bundle
from shared.models.make_bundle import make_bundle
from shared.models.schema import BundleManifest
from shared.models.video_encoder import initialise

AUDIO_CONFIG: dict[str, Any] = {  # 12 blocks, for 8 of them are frozen; group norm as wav2vec2-base has it
    "hidden_size": 32, "num_hidden_layers": 12, "num_attention_heads": 2, "intermediate_size": 48,
    "conv_dim": [16] * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2,
}
VIDEO_CONFIG: dict[str, Any] = {"width_coefficient": 0.25, "depth_coefficient": 0.2, "hidden_dim": 320}
OVERLAY: dict[str, Any] = {"fusion_width": 64, "gate_hidden": 16, "head_hidden": 32}


def save_backbones(folder: Path) -> dict[Modality, str | None]:
    """`save_pretrained` folders of both toy backbones."""
    from transformers import EfficientNetConfig, EfficientNetModel, Wav2Vec2Config, Wav2Vec2Model

    torch.manual_seed(1)
    Wav2Vec2Model(Wav2Vec2Config(**AUDIO_CONFIG)).save_pretrained(folder / "audio")
    frames = EfficientNetModel(EfficientNetConfig(**VIDEO_CONFIG))
    initialise(frames)
    frames.save_pretrained(folder / "video")
    return {"audio": str(folder / "audio"), "video": str(folder / "video")}


def toy_bundle(folder: Path, preset: str = "contract-v1", **overlay: Any) -> BundleManifest:
    """A toy bundle of a contract preset from pretrained toy backbones, in `folder / "bundle"`."""
    sources = save_backbones(folder)
    return make_bundle(folder / "bundle", preset, sources=sources, overlay={**OVERLAY, **overlay})


@cache
def compact(dtype: str = "float32") -> Bundle:
    """The shipped bundle."""
    return load_bundle("compact", dtype=dtype, device="cpu")


def sounds(count: int, seed: int = 0) -> NDArray[np.float32]:
    """(count, 16000) float32: noise under a slow swell, each its own."""
    generator = np.random.default_rng(seed)
    swell = np.abs(np.sin(np.linspace(0, 6, 16_000)))
    return (generator.standard_normal((count, 16_000)) * swell * 0.1).astype(np.float32)


def faces(count: int, seed: int = 0) -> NDArray[np.uint8]:
    """(count, 5, 224, 224, 3) uint8: blotches, each its own."""
    generator = np.random.default_rng(seed)
    small = generator.integers(0, 256, (count, 5, 14, 14, 3), dtype=np.uint8)
    return np.ascontiguousarray(small.repeat(16, axis=2).repeat(16, axis=3))


def some_orders(count: int) -> Sequence[NDArray[np.int64]]:
    """Batches of every size from 1 to `count`, shuffled."""
    generator = np.random.default_rng(7)
    return [generator.permutation(count)[:size] for size in range(1, count + 1)]
