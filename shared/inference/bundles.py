"""The bundles that the environment names, loaded and pinned."""

from collections.abc import Sequence
from pathlib import Path

from shared.inference.settings import InferenceSettings
from shared.models.bundle import BundlePool, Part, load_bundle
from shared.storage import ObjectStore
from shared.storage.keys import parse_uri


def load_pool(settings: InferenceSettings, store: ObjectStore, parts: Sequence[Part]) -> BundlePool:
    """`settings.bundle`, and before it the one that a rollout finishes its old jobs with.

    `store` is asked only for `s3://` bundles. Raises `BundleError`, `Transient`.
    """
    def fetch(uri: str, path: Path) -> None:
        bucket, key = parse_uri(uri)
        with path.open("wb") as file:
            file.writelines(store.within(bucket).iter_bytes(key))

    pool = BundlePool()
    for location in filter(None, (settings.bundle_before, settings.bundle)):
        pool.add(load_bundle(
            location, device=settings.device, dtype=settings.dtype, threads=settings.threads,
            fetch=fetch, cache=settings.bundle_cache, parts=parts,
        ))
    return pool
