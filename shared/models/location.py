"""Where bundles are: shipped here, in a folder, under an object prefix, on a hub. No torch here."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from shared.models.errors import BundleError
from shared.models.schema import BundleManifest
from shared.models.sealing import MANIFEST, parse_manifest, verify

Fetch = Callable[[str, Path], None]
"""Copies one object, named by its URI (`s3://bucket/key`), to a local file. May raise `Transient`."""

SHIPPED = Path(__file__).parent / "bundles"


def is_remote(location: str) -> bool:
    return location.startswith(("s3://", "hub:"))


def local_folder(location: str) -> Path:
    """A shipped bundle by its bare name, else a folder. Raises `BundleError` if there is none."""
    if re.fullmatch(r"[a-z0-9][a-z0-9-]*", location) and (SHIPPED / location / MANIFEST).is_file():
        return SHIPPED / location
    folder = Path(location).expanduser()
    if folder.is_dir():
        return folder
    shipped = ", ".join(sorted(p.parent.name for p in SHIPPED.glob(f"*/{MANIFEST}")))
    raise BundleError(f"{location!r} is no folder, s3:// prefix or hub: name, and not shipped ({shipped})")


def remote_manifest(location: str, fetch: Fetch | None) -> BundleManifest:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MANIFEST
        copy_file(location, MANIFEST, path, fetch)
        return parse_manifest(path.read_bytes(), f"{location}/{MANIFEST}")


def locate(location: str, fetch: Fetch | None = None, cache: Path | None = None) -> Path:
    """A local folder with the bundle at `location`, all digests verified.

    location: the name of a shipped bundle ("compact"), a folder, "s3://bucket/prefix" (needs
    `fetch`), or "hub:owner/name". Remote ones are kept in `cache` by digest and fetched once.
    Raises `BundleError`; `fetch` may raise `Transient`.
    """
    if not is_remote(location):
        folder = local_folder(location)
        verify(folder)
        return folder
    manifest = remote_manifest(location, fetch)
    folder = (cache or _default_cache()) / manifest.digest
    if (folder / MANIFEST).is_file():
        verify(folder)
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        for name in (MANIFEST, *(w.file for w in manifest.weights)):
            copy_file(location, name, partial / name, fetch)
        if verify(partial).digest != manifest.digest:
            raise BundleError(f"{location}: was replaced while it was fetched; try again")
        try:
            partial.rename(folder)
        except OSError:  # another process was first: the same digest, so the same bytes
            verify(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def copy_file(location: str, name: str, to: Path, fetch: Fetch | None) -> None:
    if location.startswith("hub:"):
        _copy_from_hub(location.removeprefix("hub:"), name, to)
        return
    if fetch is None:
        raise BundleError(f"{location}: needs an object store to be configured")
    fetch(f"{location.rstrip('/')}/{name}", to)


def _copy_from_hub(repository: str, name: str, to: Path) -> None:
    """From the hub's cache or the hub; `HF_HUB_OFFLINE=1` means: from the cache alone."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        shutil.copyfile(hf_hub_download(repository, name), to)
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise BundleError(f"hub:{repository}: {name} cannot be had: {error}") from error


def _default_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "veracity" / "bundles"
