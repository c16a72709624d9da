"""Media and artifacts in an S3 object store."""

from shared.storage.object_store import ObjectMissing, ObjectStat, ObjectStore
from shared.storage.prefixes import fetch_prefix
from shared.storage.s3 import open_store
from shared.storage.settings import S3Settings
from shared.storage.source import ObjectSource

__all__ = [
    "ObjectMissing", "ObjectSource", "ObjectStat", "ObjectStore", "S3Settings", "fetch_prefix", "open_store",
]
