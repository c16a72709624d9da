"""Places in the bucket, and what must never become one."""

from pathlib import Path

import pytest

from shared.storage import ObjectMissing, fetch_prefix
from shared.storage.keys import artifact_key, job_prefix, media_key, parse_uri, uri
from shared.storage.memory import MemoryStore


def test_all_of_a_job_is_below_its_prefix() -> None:
    assert media_key("j1") == "jobs/j1/media"
    assert artifact_key("j1", "timeline.png") == "jobs/j1/artifacts/timeline.png"
    assert media_key("j1").startswith(job_prefix("j1"))


@pytest.mark.parametrize("name", ["", ".", "..", "../verdict", "a/b", "a\\b", "a\0"])
def test_an_artifact_is_a_plain_file_name(name: str) -> None:
    with pytest.raises(ValueError, match="artifact name"):
        artifact_key("j1", name)


def test_a_uri_comes_apart_and_together() -> None:
    assert parse_uri("s3://bucket/a/b c.mp4") == ("bucket", "a/b c.mp4")
    assert parse_uri(uri("bucket", "a/b")) == ("bucket", "a/b")
    assert parse_uri("s3://bucket") == ("bucket", "")


@pytest.mark.parametrize(
    "location", ["", "bucket/key", "https://bucket/key", "s3:///key", "s3://", "s3://u:p@host/k", "s3://b:1/k"]
)
def test_what_is_no_uri_is_refused(location: str) -> None:
    with pytest.raises(ValueError, match="is no s3://"):
        parse_uri(location)


def test_a_prefix_is_fetched_as_a_folder(tmp_path: Path) -> None:
    models = MemoryStore().within("models")
    models.put("compact/bundle.json", b"{}")
    models.put("compact/weights/audio.safetensors", b"w")
    models.put("compact-2/bundle.json", b"other")
    fetch_prefix("s3://models/compact", tmp_path, models)
    files = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert files == {"bundle.json", "weights/audio.safetensors"}
    assert (tmp_path / "bundle.json").read_bytes() == b"{}"


def test_a_prefix_with_nothing_below_is_named(tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing):
        fetch_prefix("s3://models/none", tmp_path, MemoryStore("models"))


def test_a_key_that_would_leave_the_folder_is_refused(tmp_path: Path) -> None:
    models = MemoryStore("models")
    models.put("compact/../../evil", b"x")
    with pytest.raises(ValueError, match="leave"):
        fetch_prefix("s3://models/compact", tmp_path / "to", models)
    assert not (tmp_path / "evil").exists()
