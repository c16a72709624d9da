"""Which weights learn."""

from torch import nn


def freeze(*modules: nn.Module) -> None:
    """No gradient reaches these weights; it still passes through them to what lies before."""
    for module in modules:
        module.requires_grad_(False)
