"""Reading what a bundle says of itself, without its weights in memory. No torch here."""

from shared.models.location import Fetch, is_remote, local_folder, remote_manifest
from shared.models.schema import BundleManifest
from shared.models.sealing import verify

__all__ = ["BundleManifest", "Fetch", "read_manifest"]


def read_manifest(
    location: str, fetch: Fetch | None = None, *, verify_weights: bool = True
) -> BundleManifest:
    """The manifest at `location` (see `location.locate`), digests verified.

    For a remote bundle only `bundle.json` is fetched, and the weights are not verified here.
    Raises `BundleError`; `fetch` may raise `Transient`.
    """
    if is_remote(location):
        return remote_manifest(location, fetch)
    return verify(local_folder(location), weights=verify_weights)
