"""Pretrained backbones from a `save_pretrained` folder, a hub, or an object prefix."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from shared.contracts.base import Modality
from shared.models.errors import BundleError
from shared.models.location import Fetch, copy_file

CONFIG, WEIGHTS = "config.json", "model.safetensors"
_UNSAFE = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack")
_STEM = "embeddings.convolution.weight"
_NOISE = ("transformers_version", "architectures", "dtype", "_name_or_path", "model_type")
B3: dict[str, Any] = {  # EfficientNet-B3 (Tan and Le 2019) as its public checkpoint has it
    "width_coefficient": 1.2, "depth_coefficient": 1.4, "hidden_dim": 1536, "image_size": 300,
    "dropout_rate": 0.3, "depthwise_padding": [5, 18],
}


def config_of(modality: Modality, source: str | None, fetch: Fetch | None = None) -> dict[str, Any]:
    """The `transformers` config at `source`, differences from its defaults only; None: the contract's."""
    classes = _classes(modality)
    if source is None:
        values = {} if modality == "audio" else B3
        return _plain(classes[0](**values))
    with _folder(source, fetch, (CONFIG,)) as folder:
        return _plain(classes[0].from_pretrained(folder, local_files_only=True))


def load_backbone(backbone: torch.nn.Module, modality: Modality, source: str, fetch: Fetch | None) -> None:
    """Fills the backbone with the weights at `source`; every one must be there and fit.

    source: a folder written by `save_pretrained`, "s3://bucket/prefix", or "owner/name" on a hub.
    Checkpoints with a head (e.g. for CTC) will do. Raises `BundleError`.
    """
    with _folder(source, fetch, (CONFIG, WEIGHTS)) as folder:
        try:
            loaded, info = _classes(modality)[1].from_pretrained(
                folder, use_safetensors=True, output_loading_info=True, dtype=torch.float32,
                local_files_only=True,
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise BundleError(f"{source}: cannot be loaded: {error}") from error
    missing = sorted(info["missing_keys"])
    if missing:
        raise BundleError(f"{source}: lacks {', '.join(missing[:3])} ({len(missing)} weights in all)")
    backbone.load_state_dict(_with_flow(loaded.state_dict(), backbone))


def _with_flow(state: dict[str, Any], backbone: torch.nn.Module) -> dict[str, Any]:
    """A stem trained on colours, widened by zero weights where the backbone takes flow as well."""
    needed = backbone.state_dict().get(_STEM)
    if needed is not None and needed.shape[1] > (stem := state[_STEM]).shape[1]:
        missing = stem.new_zeros(stem.shape[0], needed.shape[1] - stem.shape[1], *stem.shape[2:])
        return {**state, _STEM: torch.cat([stem, missing], dim=1)}
    return state


@contextmanager
def _folder(source: str, fetch: Fetch | None, names: tuple[str, ...]) -> Iterator[Path]:
    local = Path(source).expanduser()
    if local.is_dir():
        _check_folder(local, names)
        yield local
        return
    with tempfile.TemporaryDirectory() as temporary:
        location = source if source.startswith(("s3://", "hub:")) else f"hub:{source}"
        for name in names:
            copy_file(location, name, Path(temporary) / name, fetch)
        yield Path(temporary)


def _check_folder(folder: Path, names: tuple[str, ...]) -> None:
    for name in names:
        if (folder / name).is_file():
            continue
        unsafe = sorted(p.name for p in folder.iterdir() if p.suffix in _UNSAFE)
        if name == WEIGHTS and unsafe:
            raise BundleError(f"{folder}: only {unsafe[0]}, which may hold code; save it as safetensors")
        raise BundleError(f"{folder}: lacks {name}")


def _classes(modality: Modality) -> tuple[Any, Any]:
    from transformers import EfficientNetConfig, EfficientNetModel, Wav2Vec2Config, Wav2Vec2Model

    if modality == "audio":
        return Wav2Vec2Config, Wav2Vec2Model
    return EfficientNetConfig, EfficientNetModel


def _plain(config: Any) -> dict[str, Any]:
    return {key: value for key, value in config.to_diff_dict().items() if key not in _NOISE}
