"""Bundles are made from `save_pretrained` folders, and refused unless whole, safe, and of the right shape."""

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from shared.contracts.base import Modality
from shared.contracts.outcomes import InvalidRecord
from shared.models.bundle import Bundle, BundlePool, build, load_bundle
from shared.models.errors import BundleError
from shared.models.location import SHIPPED
from shared.models.make_bundle import main, make_bundle
from shared.models.presets import preset_named
from shared.models.sealing import seal, verify
from shared.models.windows import WindowInput
from tests.support.model_bundles import (
    AUDIO_CONFIG,
    OVERLAY,
    VIDEO_CONFIG,
    compact,
    faces,
    save_backbones,
    some_orders,
    sounds,
    toy_bundle,
)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    toy_bundle(folder)
    return folder


def resealed(toy: Path, to: Path, part: str, change: Any) -> str:
    """A copy of the bundle whose weights were changed and which was sealed again."""
    folder = Path(shutil.copytree(toy / "bundle", to / "changed"))
    path = folder / f"{part}.safetensors"
    state = load_file(path)
    change(state)
    save_file(state, path)
    seal(folder, verify(folder, weights=False))
    return str(folder)


def test_a_bundle_from_save_pretrained_folders_carries_their_weights(toy: Path) -> None:
    manifest = verify(toy / "bundle")
    assert manifest.pretrained == {"audio": "audio", "video": "video"}
    saved = load_file(toy / "audio" / "model.safetensors")
    bundled = load_file(toy / "bundle" / "audio.safetensors")
    name = "encoder.layers.11.final_layer_norm.weight"
    assert torch.equal(saved[name], bundled[f"backbone.{name}"])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_contract_modules_give_the_same_bits_in_any_batch(toy: Path, dtype: str) -> None:
    detector = load_bundle(str(toy / "bundle"), device="cpu", dtype=dtype).detector
    crops, samples, valid = faces(4), sounds(4), np.array([16_000, 12_000, 16_000, 12_000])
    video, audio = detector.encode_video(crops), detector.encode_audio(samples, valid)
    assert audio.shape == (4, 49, 512)
    for order in some_orders(4):
        assert np.array_equal(detector.encode_video(crops[order]), video[order])
        assert np.array_equal(detector.encode_audio(samples[order], valid[order]), audio[order])


def test_pretrained_backbones_are_frozen_as_the_contract_says_and_random_ones_are_not(toy: Path) -> None:
    manifest = verify(toy / "bundle")
    frozen = {n for n, p in build(manifest).named_parameters() if not p.requires_grad}
    assert any(name.startswith("audio.backbone.encoder.layers.7.") for name in frozen)
    learning = ("video.", "scorer.", "audio.projection.", "audio.backbone.encoder.layers.8.")
    assert not any(name.startswith(learning) for name in frozen)
    random = manifest.model_copy(update={"pretrained": {"audio": None, "video": None}})
    assert all(p.requires_grad for p in build(random).parameters())


def test_a_part_alone_can_be_loaded(toy: Path) -> None:
    detector = load_bundle(str(toy / "bundle"), device="cpu", parts=("audio",)).detector
    assert detector.encode_audio(sounds(1), np.array([16_000])).shape == (1, 49, 512)
    with pytest.raises(RuntimeError, match="without its video encoder"):
        detector.encode_video(faces(1))


def test_a_missing_weight_is_refused_by_name(toy: Path, tmp_path: Path) -> None:
    folder = resealed(toy, tmp_path, "scorer", lambda state: state.pop("head.out.weight"))
    with pytest.raises(BundleError, match="lacks head.out.weight"):
        load_bundle(folder)


def test_an_unknown_weight_is_refused_by_name(toy: Path, tmp_path: Path) -> None:
    folder = resealed(toy, tmp_path, "scorer", lambda state: state.update(extra=torch.zeros(1)))
    with pytest.raises(BundleError, match="has extra"):
        load_bundle(folder)


def test_a_wrong_shape_is_refused_by_name(toy: Path, tmp_path: Path) -> None:
    folder = resealed(toy, tmp_path, "scorer", lambda s: s.update({"head.out.weight": torch.zeros(1, 3)}))
    with pytest.raises(BundleError, match=r"head.out.weight has shape \(1, 3\), the preset needs \(1, 32\)"):
        load_bundle(folder)


def test_a_pickle_named_safetensors_is_refused(toy: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(toy / "bundle", tmp_path / "changed"))
    (folder / "video.safetensors").write_bytes(pickle.dumps({"weight": [1, 2, 3]}))
    seal(folder, verify(folder, weights=False))
    with pytest.raises(BundleError, match="no safetensors file"):
        load_bundle(str(folder))


def test_a_backbone_that_is_only_a_pickle_is_refused(toy: Path, tmp_path: Path) -> None:
    source = Path(shutil.copytree(toy / "audio", tmp_path / "audio"))
    (source / "model.safetensors").rename(source / "pytorch_model.bin")
    with pytest.raises(BundleError, match="pytorch_model.bin, which may hold code"):
        make_bundle(tmp_path / "to", "contract-v1", sources={"audio": str(source)}, overlay=OVERLAY)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("encoder.layers.3.final_layer_norm.bias"), "lacks encoder.layers.3"),
        (lambda s: s.update({"encoder.layers.3.final_layer_norm.bias": torch.zeros(7)}), "audio"),
    ],
    ids=["missing", "shape"],
)
def test_a_backbone_that_does_not_fit_is_refused(
    toy: Path, tmp_path: Path, change: Any, message: str
) -> None:
    source = Path(shutil.copytree(toy / "audio", tmp_path / "audio"))
    state = load_file(source / "model.safetensors")
    change(state)
    save_file(state, source / "model.safetensors", {"format": "pt"})
    with pytest.raises(BundleError, match=message):
        make_bundle(
            tmp_path / "to", "contract-v1", sources={"audio": str(source)},
            configs={"video": VIDEO_CONFIG}, overlay=OVERLAY,
        )


def test_backbones_come_from_an_object_prefix_too(toy: Path, tmp_path: Path) -> None:
    def fetch(uri: str, to: Path) -> None:
        shutil.copyfile(toy / uri.removeprefix("s3://models/"), to)

    manifest = make_bundle(
        tmp_path, "contract-v1", sources={"audio": "s3://models/audio", "video": "s3://models/video"},
        overlay=OVERLAY, fetch=fetch,
    )
    assert manifest.pretrained["audio"] == "s3://models/audio"
    mine, theirs = (load_file(f / "audio.safetensors") for f in (tmp_path, toy / "bundle"))
    name = "backbone.encoder.layers.11.final_layer_norm.weight"
    assert torch.equal(mine[name], theirs[name])


@pytest.mark.parametrize("preset", ["concat-baseline", "seed-fusion"])
def test_the_presets_for_comparison_load_and_score(tmp_path: Path, preset: str) -> None:
    configs: dict[Modality, dict[str, Any]] = {"audio": AUDIO_CONFIG, "video": VIDEO_CONFIG}
    make_bundle(tmp_path, preset, configs=configs, overlay=OVERLAY)
    bundle = load_bundle(str(tmp_path), device="cpu")
    assert "random" in bundle.manifest.training
    output = bundle.detector.score([WindowInput(video=bundle.detector.encode_video(faces(1)))])[0]
    assert output.p_fake is not None


def test_the_shipped_bundle_is_what_its_command_makes(tmp_path: Path) -> None:
    assert main(["--preset", "compact", "--dtype", "float16", "--to", str(tmp_path)]) == 0
    made, shipped = verify(tmp_path), verify(SHIPPED / "compact")
    bare = {"digest": "", "weights": ()}
    assert made.model_copy(update=bare) == shipped.model_copy(update=bare)
    for part in ("audio", "video", "scorer"):
        mine, theirs = (load_file(f / f"{part}.safetensors") for f in (tmp_path, SHIPPED / "compact"))
        torch.testing.assert_close(mine, theirs)


def test_random_backbones_must_be_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--preset", "contract-v1", "--to", str(tmp_path / "to")]) == 2
    assert "--random" in capsys.readouterr().err
    assert not (tmp_path / "to").exists()


def test_the_command_takes_save_pretrained_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_backbones(tmp_path)
    arguments = ["--audio", str(tmp_path / "audio"), "--video", str(tmp_path / "video")]
    overlay = [f"--set={key}={json.dumps(value)}" for key, value in OVERLAY.items()]
    assert main(["--preset", "contract-v1", *arguments, *overlay, "--to", str(tmp_path / "to")]) == 0
    assert "audio backbone pretrained" in capsys.readouterr().out
    assert load_bundle(str(tmp_path / "to"), device="cpu").detector.audio_tokens == 49


@pytest.mark.parametrize(
    ("name", "overlay"),
    [
        ("no-such", {}),
        ("compact", {"no_such": 1}),
        ("compact", {"head_hidden": "wide"}),
        ("compact", {"name": "other"}),
    ],
)
def test_an_unknown_preset_or_setting_is_refused(name: str, overlay: dict[str, Any]) -> None:
    with pytest.raises(BundleError):
        preset_named(name, overlay)


def test_unknown_runtimes_are_refused() -> None:
    with pytest.raises(BundleError, match="dtype"):
        load_bundle("compact", dtype="float8")
    with pytest.raises(BundleError, match="device"):
        load_bundle("compact", device="abacus")


def test_the_pool_keeps_two_and_names_what_it_does_not_have() -> None:
    def named(digest: str) -> Bundle:
        return Bundle(compact().manifest.model_copy(update={"digest": digest}), compact().detector)

    pool = BundlePool(named("a"), named("b"))
    pool.add(named("a"))
    pool.add(named("c"))
    assert pool.current.manifest.digest == "c"
    assert pool.get("a").manifest.digest == "a"
    with pytest.raises(InvalidRecord) as refused:
        pool.get("b")
    assert refused.value.reason == "wrong_bundle"


def test_loading_compact_imports_neither_transformers_nor_a_compiler() -> None:
    code = (
        "import sys\nfrom shared.models.bundle import load_bundle\nload_bundle('compact', device='cpu')\n"
        "sys.exit('transformers' in sys.modules or 'torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own code
