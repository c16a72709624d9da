"""Loading bundles, and keeping two of them resident by digest."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from shared.contracts.base import Modality
from shared.contracts.outcomes import InvalidRecord
from shared.models.audio_encoder import Wav2Vec2Encoder
from shared.models.detector import Detector
from shared.models.errors import BundleError
from shared.models.location import Fetch, locate
from shared.models.model import DeepfakeModel
from shared.models.presets import preset_named
from shared.models.runtime import cast_weights, choose, pin, same_bits_together
from shared.models.schema import BundleManifest
from shared.models.sealing import verify
from shared.models.weights import load_part
from shared.models.windows import SAMPLES

Part = Literal["audio", "video", "scorer"]
ALL: tuple[Part, ...] = ("audio", "video", "scorer")
RESIDENT = 2
TOGETHER = 8  # windows of sound in one forward, where that changes no bit


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
    parts: Sequence[Part] = ALL,
) -> Bundle:
    """location: as `location.locate`. device: auto, cpu, cuda, cuda:n. dtype: auto, float32, bfloat16.

    threads: pinned for the process by `torch.set_num_threads`; None: the cores it may use.
    parts: what the service runs ("audio", "video", "scorer"); the others take no memory.
    Raises `BundleError` (missing, wrong digest, unsafe file, wrong shape); `fetch` may raise `Transient`.
    """
    runtime = choose(device, dtype, threads)
    folder = locate(location, fetch, cache)
    manifest = verify(folder, weights=False)  # `locate` has just checked the weights
    model = build(manifest, parts)
    for part in parts:
        load_part(model.get_submodule(part), folder / f"{part}.safetensors")
    for encoder, backend in ((model.audio, runtime.dtype), (model.video, runtime.dtype)):
        if encoder is not None:
            cast_weights(encoder, backend)
    if model.scorer is not None:
        cast_weights(model.scorer, torch.float32)  # a few milliseconds; keeps scores exact
    if model.video is not None:
        model.video.frames.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    model.to(runtime.device).eval().requires_grad_(False)
    pin(runtime)
    if isinstance(model.audio, Wav2Vec2Encoder) and runtime.device.type == "cpu":
        noise = torch.randn(TOGETHER, SAMPLES, generator=torch.Generator().manual_seed(0))
        model.audio.full_windows_at_once = TOGETHER if same_bits_together(model.audio, noise) else 1
    preset = preset_named(manifest.preset, manifest.overlay)
    return Bundle(manifest, Detector(model, preset, manifest, runtime))


def build(manifest: BundleManifest, parts: Sequence[Part] = ALL) -> DeepfakeModel:
    """The manifest's model, its weights still to be filled. Raises `BundleError`."""
    preset = preset_named(manifest.preset, manifest.overlay)
    pretrained: frozenset[Modality] = frozenset(m for m, source in manifest.pretrained.items() if source)
    # On the meta device large models cost neither memory nor time; small ones are built faster
    # for real, since its arithmetic imports half a compiler.
    device = "meta" if manifest.backbones else "cpu"
    try:
        with torch.device(device):
            return DeepfakeModel(preset, manifest.backbones, parts=tuple(parts), pretrained=pretrained)
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"{manifest.name}: its bundle.json gives no model: {error!r}") from error


class BundlePool:
    """The two most recently added bundles, by digest: a rollout finishes old jobs with the old one."""

    def __init__(self, *bundles: Bundle) -> None:
        self._bundles: OrderedDict[str, Bundle] = OrderedDict()
        for bundle in bundles:
            self.add(bundle)

    @property
    def current(self) -> Bundle:
        """The one added last."""
        return next(reversed(self._bundles.values()))

    def add(self, bundle: Bundle) -> None:
        self._bundles.pop(bundle.manifest.digest, None)
        self._bundles[bundle.manifest.digest] = bundle
        while len(self._bundles) > RESIDENT:
            self._bundles.popitem(last=False)

    def get(self, digest: str) -> Bundle:
        """Raises `InvalidRecord("wrong_bundle")` if it is not resident."""
        if digest not in self._bundles:
            known = ", ".join(d[:12] for d in self._bundles)
            raise InvalidRecord("wrong_bundle", f"made with {digest[:12]}, resident are {known}")
        return self._bundles[digest]
