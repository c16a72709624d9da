"""Folders of the object store on the local disk: how model bundles come from `s3://`."""

from pathlib import Path

from shared.storage.keys import parse_uri
from shared.storage.object_store import ObjectMissing, ObjectStore
from shared.storage.s3 import open_store


def fetch_prefix(uri: str, to_dir: Path, store: ObjectStore | None = None) -> Path:
    """Copy every object below `uri` to `to_dir`, keeping sub-folders; give `to_dir` back.

    Without `store`, the one that the environment names. Raises `Transient`, `ObjectMissing` where nothing
    is below `uri`, `ValueError` where `uri` or a key would leave `to_dir`."""
    bucket, prefix = parse_uri(uri)
    prefix = prefix.rstrip("/") + "/" if prefix.strip("/") else ""
    source = (store or open_store()).within(bucket)
    root = to_dir.resolve()
    keys = [key for key in source.list(prefix) if not key.endswith("/")]
    if not keys:
        raise ObjectMissing(f"nothing is below {uri}")
    for key in keys:
        target = (root / key[len(prefix) :]).resolve()
        if not target.is_relative_to(root):
            raise ValueError(f"{key!r} would leave {to_dir}")
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f"{target.name}.part")
        with partial.open("wb") as out:
            out.writelines(source.iter_bytes(key))
        partial.replace(target)
    return to_dir
