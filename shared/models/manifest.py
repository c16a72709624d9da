"""`bundle.json`: what a bundle is, what it was measured to do, and the digests that pin it. No torch here.

The bundle's digest is sha256 over the canonical JSON of everything in `bundle.json` but `digest`
itself; the weights' digests are among it, so one digest pins every byte that decides a score.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from shared.contracts.base import Body, Modality
from shared.models.errors import BundleError

MANIFEST = "bundle.json"
FORMAT = 1

Fetch = Callable[[str, Path], None]
"""Copies one object, named by its URI (`s3://bucket/key`), to a local file. May raise `Transient`."""


class WeightFile(Body):
    """One safetensors file of the bundle."""

    file: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\.safetensors$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0, description="bytes")


class ClipCalibration(Body):
    """For clips of at most `up_to_s` seconds (None: any): logit -> (logit + bias) / temperature."""

    up_to_s: float | None = None
    temperature: float = Field(default=1.0, gt=0)
    bias: float = 0.0


class Calibration(Body):
    """Raw logits to probabilities, and windows to a clip.

    A window's logit is `fused`; its probability sigmoid((logit + bias) / temperature), likewise
    for the unimodal heads. A clip's is the mean over the top fraction of its windows, corrected by
    the first of `clips` whose `up_to_s` covers its duration, since a top fraction of an hour is not
    that of two seconds.
    """

    temperature: float = Field(default=1.0, gt=0)
    bias: float = 0.0
    video_temperature: float = Field(default=1.0, gt=0)
    audio_temperature: float = Field(default=1.0, gt=0)
    top_fraction: float = Field(default=0.25, gt=0, le=1)
    clips: tuple[ClipCalibration, ...] = ()


class MeasuredBin(Body):
    """Error rates measured on left-out clips lasting [from_s, to_s) seconds, at these thresholds."""

    from_s: float = Field(ge=0)
    to_s: float | None = Field(default=None, description="None: and longer")
    fake_at: float = Field(ge=0, le=1, description="p_fake from here on is called fake")
    real_at: float = Field(ge=0, le=1, description="p_fake up to here is called real")
    fpr: float = Field(ge=0, le=1, description="real clips called fake")
    fnr: float = Field(ge=0, le=1, description="fake clips called real")
    real_clips: int = Field(ge=0)
    fake_clips: int = Field(ge=0)


class Measured(Body):
    """What evaluation wrote; never typed by hand."""

    data: str = Field(description="what it was measured on")
    modalities: tuple[tuple[Modality, ...], ...] = Field(
        default=(), description="the sets of usable modalities it was measured with; empty: any"
    )
    bins: tuple[MeasuredBin, ...] = ()
    metrics: dict[str, Any] = {}


class Policy(Body):
    """The error rates that a verdict may have; a bin that was measured worse gives none."""

    max_fpr: float = 0.05
    max_fnr: float = 0.05


class BundleManifest(Body):
    """The content of `bundle.json`."""

    format: Literal[1] = FORMAT
    name: str
    preset: str
    overlay: dict[str, Any] = Field(default={}, description="differences from the named preset")
    backbones: dict[Modality, dict[str, Any]] = Field(
        default={}, description="`transformers` configs of the pretrained-size backbones"
    )
    pretrained: dict[Modality, str | None] = Field(
        default={}, description="where each backbone's weights came from; None: random"
    )
    weights: tuple[WeightFile, ...]
    trained: bool
    training: str = Field(description="what it was trained on, for people; or that it was not")
    licence: str
    sizes: dict[str, Any] = Field(default={}, description="shapes at the edges, for people")
    modality_weights: dict[Modality, float] = Field(
        default={"video": 1.0, "audio": 1.0}, description="0: shown, but masked in the fusion"
    )
    calibration: Calibration = Calibration()
    policy: Policy = Policy()
    measured: Measured | None = None
    digest: str = ""

    def measured_dict(self) -> dict[str, Any] | None:
        """For `shared.contracts.results.BundleRef`."""
        return None if self.measured is None else self.measured.model_dump(mode="json")


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of(content: Mapping[str, Any]) -> str:
    """The digest of a bundle from the content of its `bundle.json`."""
    rest = {key: value for key, value in content.items() if key != "digest"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def seal(folder: Path, manifest: BundleManifest) -> BundleManifest:
    """Writes `bundle.json` with the digests of the weights beside it; returns what was written."""
    weights = tuple(
        WeightFile(file=p.name, sha256=sha256_of(p), size=p.stat().st_size)
        for p in sorted(folder.glob("*.safetensors"))
    )
    content = manifest.model_copy(update={"weights": weights}).model_dump(mode="json")
    content["digest"] = digest_of(content)
    (folder / MANIFEST).write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")
    return BundleManifest.model_validate(content)


def parse_manifest(text: str | bytes, where: str) -> BundleManifest:
    """Raises `BundleError` on anything that `seal` would not write, a wrong digest above all."""
    try:
        content = json.loads(text)
        manifest = BundleManifest.model_validate(content)
    except (ValueError, ValidationError) as error:
        raise BundleError(f"{where}: not a bundle manifest: {error}") from error
    if manifest.digest != (right := digest_of(content)):
        raise BundleError(f"{where}: says digest {manifest.digest or 'none'}, but its content has {right}")
    return manifest


def read_manifest(location: str, fetch: Fetch | None = None, *, verify_weights: bool = True) -> BundleManifest:
    """The manifest at `location` (see `shared.models.location.locate`), digests verified.

    For a remote bundle only `bundle.json` is fetched, and the weights are not verified here.
    Raises `BundleError`; `fetch` may raise `Transient`.
    """
    from shared.models.location import is_remote, local_folder, remote_manifest

    if is_remote(location):
        return remote_manifest(location, fetch)
    folder = local_folder(location)
    return verify(folder, weights=verify_weights)


def verify(folder: Path, *, weights: bool = True) -> BundleManifest:
    """The manifest of a folder, its own digest and those of its weights checked. Raises `BundleError`."""
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(f"{path}: missing; is {folder} a bundle?")
    manifest = parse_manifest(path.read_bytes(), str(path))
    if weights:
        for weight in manifest.weights:
            _verify_weight(folder / weight.file, weight)
    return manifest


def _verify_weight(path: Path, expected: WeightFile) -> None:
    if not path.is_file():
        raise BundleError(f"{path}: missing")
    if path.stat().st_size != expected.size or sha256_of(path) != expected.sha256:
        raise BundleError(f"{path}: not the file that bundle.json was sealed with (wrong digest)")
