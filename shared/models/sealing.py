"""The digests that pin a bundle. No torch here.

A bundle's digest is sha256 over the canonical JSON of everything in `bundle.json` but `digest`
itself; the weights' digests are among it, so one digest pins every byte that decides a score.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.models.errors import BundleError
from shared.models.schema import BundleManifest, WeightFile

MANIFEST = "bundle.json"


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
    except ValueError as error:
        raise BundleError(f"{where}: not a bundle manifest: {error}") from error
    if manifest.digest != (right := digest_of(content)):
        raise BundleError(f"{where}: says digest {manifest.digest or 'none'}, but its content has {right}")
    return manifest


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
