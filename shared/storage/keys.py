"""Where a job's files lie in the bucket."""

from urllib.parse import urlsplit


def job_prefix(job_id: str) -> str:
    """Everything of one job is below it."""
    return f"jobs/{job_id}/"


def media_key(job_id: str) -> str:
    return f"{job_prefix(job_id)}media"


def artifact_key(job_id: str, name: str) -> str:
    """Raises `ValueError` where `name` is more than a plain file name."""
    if not name or name in {".", ".."} or "/" in name or "\\" in name or "\0" in name:
        raise ValueError(f"{name!r} is no artifact name")
    return f"{job_prefix(job_id)}artifacts/{name}"


def uri(bucket: str, key: str) -> str:
    return f"s3://{bucket}/{key}"


def parse_uri(location: str) -> tuple[str, str]:
    """`"s3://b/k"` -> `("b", "k")`; the key may be empty or a prefix. Raises `ValueError`."""
    scheme, _, rest = location.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket or urlsplit(f"s3://{bucket}").hostname != bucket:
        raise ValueError(f"{location!r} is no s3://bucket/key")
    return bucket, key
