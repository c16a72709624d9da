"""Loading bundles, and keeping two of them resident by digest."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shared.models.detector import Detector
from shared.models.manifest import BundleManifest, Fetch

Device = Literal["auto", "cpu", "cuda"]
DType = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True)
class Bundle:
    """A bundle ready for work; `manifest.digest` is what messages pin."""

    manifest: BundleManifest
    detector: Detector


def load_bundle(
    location: str,
    *,
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    fetch: Fetch | None = None,
    cache: Path | None = None,
    parts: tuple[Literal["audio", "video", "fusion"], ...] = ("audio", "video", "fusion"),
) -> Bundle:
    """location: as `location.locate`. device: auto, cpu, cuda[:n]. dtype: auto, float32, bfloat16; auto is
    bfloat16 where this CPU has instructions for it. threads: pinned by `torch.set_num_threads`;
    None: the cores this process may use. parts: what the service needs resident.
    Raises `BundleError` (missing, wrong digest, unsafe file, wrong shape); `fetch` may raise `Transient`.
    """
    raise NotImplementedError


class BundlePool:
    """The two most recently added bundles, by digest."""

    def __init__(self, *bundles: Bundle) -> None:
        raise NotImplementedError

    @property
    def current(self) -> Bundle:
        """The one added last."""
        raise NotImplementedError

    def add(self, bundle: Bundle) -> None:
        raise NotImplementedError

    def get(self, digest: str) -> Bundle:
        """Raises `InvalidRecord("wrong_bundle")` if it is not resident."""
        raise NotImplementedError
