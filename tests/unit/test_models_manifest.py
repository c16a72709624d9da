import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.contracts.outcomes import Transient
from shared.models.errors import BundleError
from shared.models.location import SHIPPED, locate
from shared.models.manifest import read_manifest
from shared.models.sealing import MANIFEST, seal

SHIPPED_COMPACT = SHIPPED / "compact"


def copy_of_compact(to: Path) -> Path:
    return Path(shutil.copytree(SHIPPED_COMPACT, to / "bundle"))


def from_folder(folder: Path, seen: list[str]) -> object:
    def fetch(uri: str, to: Path) -> None:
        seen.append(uri)
        shutil.copyfile(folder / uri.removeprefix("s3://models/compact/"), to)

    return fetch


def test_the_shipped_bundle_says_that_it_is_untrained() -> None:
    manifest = read_manifest("compact")
    assert manifest.trained is False
    assert "untrained" in manifest.training.lower()
    assert manifest.measured is None
    assert manifest.measured_dict() is None


def test_the_shipped_bundle_is_small() -> None:
    assert sum(path.stat().st_size for path in SHIPPED_COMPACT.iterdir()) < 10e6


def test_a_bundle_is_found_by_its_folder_too() -> None:
    assert read_manifest(str(SHIPPED_COMPACT)) == read_manifest("compact")


def test_an_unknown_location_is_refused_by_name() -> None:
    with pytest.raises(BundleError, match="no-such-bundle.*compact"):
        read_manifest("no-such-bundle")


def test_a_changed_manifest_is_refused(tmp_path: Path) -> None:
    folder = copy_of_compact(tmp_path)
    content = json.loads((folder / MANIFEST).read_text())
    content["trained"] = True
    (folder / MANIFEST).write_text(json.dumps(content))
    with pytest.raises(BundleError, match="digest"):
        read_manifest(str(folder))


def test_a_changed_weight_is_refused(tmp_path: Path) -> None:
    folder = copy_of_compact(tmp_path)
    weights = folder / "scorer.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    with pytest.raises(BundleError, match="scorer.safetensors.*wrong digest"):
        read_manifest(str(folder))


def test_a_missing_weight_is_refused(tmp_path: Path) -> None:
    folder = copy_of_compact(tmp_path)
    (folder / "audio.safetensors").unlink()
    with pytest.raises(BundleError, match="audio.safetensors.*missing"):
        read_manifest(str(folder))


@pytest.mark.parametrize("text", ["", "[]", "{}", "not json", '{"format": 99}'])
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(BundleError, match="manifest"):
        read_manifest(str(tmp_path))


@pytest.mark.parametrize("name", ["../a.safetensors", "audio.bin", "/etc/a.safetensors", ".safetensors"])
def test_a_manifest_cannot_name_files_elsewhere_or_of_another_kind(tmp_path: Path, name: str) -> None:
    content = json.loads((SHIPPED_COMPACT / MANIFEST).read_text())
    content["weights"][0]["file"] = name
    (tmp_path / MANIFEST).write_text(json.dumps(content))
    with pytest.raises(BundleError, match="weights"):
        read_manifest(str(tmp_path))


def test_the_digest_pins_every_field_and_every_byte(tmp_path: Path) -> None:
    folder = copy_of_compact(tmp_path)
    before = read_manifest(str(folder))
    assert seal(folder, before).digest == before.digest
    assert seal(folder, before.model_copy(update={"name": "other"})).digest != before.digest
    (folder / "video.safetensors").write_bytes(b"other")
    assert seal(folder, before).digest != before.digest


def test_a_remote_bundle_is_fetched_once_and_kept_by_digest(tmp_path: Path) -> None:
    seen: list[str] = []
    fetch = from_folder(SHIPPED_COMPACT, seen)
    for _ in range(2):
        folder = locate("s3://models/compact", fetch, cache=tmp_path)  # type: ignore[arg-type]
        assert read_manifest(str(folder)).digest == read_manifest("compact").digest
    assert sorted(uri for uri in set(seen) if seen.count(uri) == 1) == [
        f"s3://models/compact/{part}.safetensors" for part in ("audio", "scorer", "video")
    ]


def test_only_the_manifest_of_a_remote_bundle_is_read_for_its_digest(tmp_path: Path) -> None:
    seen: list[str] = []
    read_manifest("s3://models/compact", from_folder(SHIPPED_COMPACT, seen))  # type: ignore[arg-type]
    assert seen == ["s3://models/compact/bundle.json"]


def test_a_damaged_remote_bundle_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = copy_of_compact(tmp_path)
    (folder / "video.safetensors").write_bytes(b"cut off")
    cache = tmp_path / "cache"
    with pytest.raises(BundleError, match="wrong digest"):
        locate("s3://models/compact", from_folder(folder, []), cache=cache)  # type: ignore[arg-type]
    assert list(cache.iterdir()) == []


def test_a_store_that_is_away_is_transient_not_a_bad_bundle(tmp_path: Path) -> None:
    def away(uri: str, to: Path) -> None:
        raise Transient("object store unreachable")

    with pytest.raises(Transient):
        locate("s3://models/compact", away, cache=tmp_path)


def test_an_object_prefix_without_a_store_is_refused() -> None:
    with pytest.raises(BundleError, match="object store"):
        read_manifest("s3://models/compact")


def test_reading_a_manifest_and_deciding_import_no_torch() -> None:
    code = (
        "import sys, shared.models.policy, shared.models.calibration, shared.models.windows\n"
        "from shared.models.manifest import read_manifest\n"
        "read_manifest('compact')\n"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own code
