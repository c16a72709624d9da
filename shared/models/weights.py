"""Safetensors in, safetensors out; every name and shape is checked, and nothing is executed."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from shared.models.errors import BundleError

PARTS = ("audio", "video", "scorer")


def save_parts(model: nn.Module, folder: Path, dtype: torch.dtype) -> None:
    """Writes audio, video and scorer.safetensors; matrices and kernels in `dtype`, the rest as it is."""
    for part in PARTS:
        module, path = model.get_submodule(part), folder / f"{part}.safetensors"
        large = {name for name, parameter in module.named_parameters() if parameter.ndim > 1}
        state = {
            name: (tensor.to(dtype) if name in large else tensor).contiguous()
            for name, tensor in module.state_dict().items()
        }
        save_file(state, path)
        path.chmod(0o644)  # safetensors makes files that only their owner reads


def load_part(module: nn.Module, path: Path) -> None:
    """Gives the module the file's weights (also one on the meta device). Raises `BundleError`."""
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise BundleError(f"{path}: no safetensors file: {error}") from error
    check(module.state_dict(), state, str(path))
    module.load_state_dict(state, assign=True)


def check(expected: Mapping[str, Tensor], found: Mapping[str, Tensor], where: str) -> None:
    """Raises `BundleError` naming what is missing, left over, or of another shape."""
    if missing := sorted(expected.keys() - found.keys()):
        raise BundleError(f"{where}: lacks {_some(missing)}")
    if left := sorted(found.keys() - expected.keys()):
        raise BundleError(f"{where}: has {_some(left)}, which the preset does not know")
    for name, tensor in expected.items():
        if tensor.shape != found[name].shape:
            right, wrong = tuple(tensor.shape), tuple(found[name].shape)
            raise BundleError(f"{where}: {name} has shape {wrong}, the preset needs {right}")
        if tensor.is_floating_point() != found[name].is_floating_point():
            raise BundleError(f"{where}: {name} has type {found[name].dtype}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
