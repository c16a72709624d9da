"""Every way the manifests can be put together: each base or overlay with each set of components."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, combinations
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Combination:
    """`root` is `base` or `overlays/NAME`; `components` are folder names under `components/`."""

    root: str
    components: tuple[str, ...]

    @property
    def name(self) -> str:
        return " + ".join([self.root, *self.components])

    def write(self, directory: Path) -> None:
        """A kustomization in `directory` that puts this combination together."""
        directory.mkdir(parents=True, exist_ok=True)
        relative = os.path.relpath(HERE, directory)
        lines = ["apiVersion: kustomize.config.k8s.io/v1beta1", "kind: Kustomization", "resources:"]
        lines.append(f"  - {relative}/{self.root}")
        if self.components:
            lines.append("components:")
            lines.extend(f"  - {relative}/components/{name}" for name in self.components)
        (directory / "kustomization.yaml").write_text("\n".join(lines) + "\n")


def every_combination() -> Iterator[Combination]:
    """Base and overlays, each with every subset of the components."""
    roots = ["base", *sorted(f"overlays/{p.name}" for p in (HERE / "overlays").iterdir() if p.is_dir())]
    components = sorted(p.name for p in (HERE / "components").iterdir() if p.is_dir())
    subsets = list(chain.from_iterable(combinations(components, n) for n in range(len(components) + 1)))
    for root in roots:
        for subset in subsets:
            yield Combination(root, subset)
