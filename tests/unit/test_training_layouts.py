import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import published_trees as trees
from tests.support.published_trees import TREES
from training.data.items import Item, LayoutError
from training.data.layouts import LAYOUTS, layout_of, load, place_of
from training.data.licences import trainable
from training.data.splits import leave_out


def tree(tmp_path: Path, build: Callable[[Path], None]) -> dict[str, Item]:
    build(tmp_path)
    return {item.path.relative_to(tmp_path).as_posix(): item for item in load(tmp_path)}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_is_told_apart_and_read_whole(tmp_path: Path, name: str) -> None:
    TREES[name](tmp_path)
    assert layout_of(tmp_path) == name
    items = load(tmp_path)
    media = {path for path in tmp_path.rglob("*.*") if path.read_bytes().startswith(b"media ")}
    assert {item.path for item in items} == {path for path in media if "test/000000" not in str(path)} | {
        item.path for item in items if name == "lav-df"
    }
    assert len({item.path for item in items}) == len(items)
    assert [item for item in items if item.label == "real" and (item.spans != () or item.method)] == []
    assert {item.dataset for item in items} == {name}


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name != "faceforensics++"])  # lists no files
def test_a_listed_file_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    TREES[name](tmp_path)
    victim = load(tmp_path)[-1].path
    if name == "celeb-df-v2":
        victim = tmp_path / "YouTube-real/00170.mp4"
    victim.unlink()
    with pytest.raises(LayoutError, match=victim.name) as caught:
        load(tmp_path)
    assert caught.value.path == victim


def test_faceforensics_knows_target_source_split_and_compression(tmp_path: Path) -> None:
    items = tree(tmp_path, trees.faceforensics)
    fake = items["manipulated_sequences/Face2Face/c23/videos/000_003.mp4"]
    assert (fake.fake_type, fake.method, fake.split, fake.tags) == (
        "reenactment",
        "Face2Face",
        "test",
        ("c23",),
    )
    assert fake.identities == ("ff++:000", "ff++:003")
    assert fake.pair_id == items["original_sequences/youtube/c23/videos/000.mp4"].pair_id
    assert items["original_sequences/youtube/c23/videos/071.mp4"].split == "train"
    actors = items["manipulated_sequences/DeepFakeDetection/c23/videos/01_02__exit_phone_room__YVGY8LOK.mp4"]
    assert actors.pair_id == items["original_sequences/actors/c23/videos/01__exit_phone_room.mp4"].pair_id
    assert (actors.identities, actors.split) == (("dfd:01", "dfd:02"), "")


def test_celeb_df_pairs_a_swap_with_its_target_and_knows_the_test_list(tmp_path: Path) -> None:
    items = tree(tmp_path, trees.celeb_df)
    fake, real = items["Celeb-synthesis/id0_id1_0000.mp4"], items["Celeb-real/id0_0000.mp4"]
    assert fake.identities == ("celeb-df:id0", "celeb-df:id1")
    assert fake.pair_id == real.pair_id
    assert (fake.split, real.split, items["YouTube-real/00170.mp4"].split) == ("test", "train", "test")
    assert items["YouTube-real/00000.mp4"].identities == ()


def test_dfdc_pairs_a_fake_with_its_original_in_every_part(tmp_path: Path) -> None:
    items = tree(tmp_path, trees.dfdc)
    assert Counter(item.pair_id for item in items.values()) == {"dfdc:0aaa.mp4": 2, "dfdc:1aaa.mp4": 2}
    assert items["dfdc_train_part_0/0bbb.mp4"].audio_label is None


def test_the_preview_of_dfdc_names_people(tmp_path: Path) -> None:
    items = tree(tmp_path, trees.dfdc_preview)
    fake = items["method_A/1028381/1028381_A/643049_1028381_A_001.mp4"]
    assert fake.identities == ("dfdc-preview:643049", "dfdc-preview:1028381")
    assert fake.split == "test"


def test_fakeavceleb_labels_each_stream_and_names_everyone(tmp_path: Path) -> None:
    items = {item.path.name: item for item in tree(tmp_path, trees.fakeavceleb).values()}
    voice, swap = items["00109_fake.mp4"], items["00109_id00761_Isiq7cA-DNE.mp4"]
    assert (voice.label, voice.video_label, voice.audio_label, voice.fake_type) == (
        "fake",
        "real",
        "fake",
        "tts",
    )
    assert (voice.video_spans, voice.audio_spans) == ((), None)
    assert (swap.video_label, swap.audio_label, swap.fake_type) == ("fake", "real", "face_swap")
    assert swap.identities == ("voxceleb2:id00076", "voxceleb2:id00761")
    assert items["00109_10_id00476_wavtolip.mp4"].pair_id == items["00109.mp4"].pair_id


def test_lav_df_gives_the_seconds_that_are_fake_in_each_stream(tmp_path: Path) -> None:
    items = tree(tmp_path, trees.lav_df)
    both, sound = items["train/000001.mp4"], items["dev/000003.mp4"]
    assert both.spans == both.video_spans == both.audio_spans == ((1.5, 2.25),)
    assert (sound.video_spans, sound.audio_spans, sound.method) == ((), ((0.5, 1.0),), "SV2TTS")
    assert both.pair_id == "lav-df:train/000002.mp4"


def test_av_deepfake1m_believes_the_type_where_the_spans_contradict_it(tmp_path: Path) -> None:
    items = tree(tmp_path, trees.av_deepfake1m)
    folder = "train/id00012/21Uxsk56VDQ/00001"
    sound = items[f"{folder}/real_video_fake_audio.mp4"]
    assert (sound.video_label, sound.video_spans, sound.audio_spans) == ("real", (), ((3.3, 3.4),))
    assert items[f"{folder}/fake_video_fake_audio.mp4"].video_spans == ((3.28, 3.46),)
    assert sound.identities == ("voxceleb2:id00012",)
    assert sound.duration_s == pytest.approx(9.48)


def test_asvspoof_2019_knows_speaker_system_and_what_the_system_does(tmp_path: Path) -> None:
    items = {
        path.stem: item
        for path, item in ((Path(k), v) for k, v in tree(tmp_path, trees.asvspoof_2019).items())
    }
    assert (items["LA_T_1"].fake_type, items["LA_T_1"].method, items["LA_T_1"].split) == (
        "tts",
        "A01",
        "train",
    )
    assert (items["LA_E_2"].fake_type, items["LA_E_2"].split) == ("vc", "eval")
    assert (items["PA_T_1"].fake_type, items["PA_T_0"].label) == ("replay", "real")
    assert items["LA_D_0"].identities == ("asvspoof:LA_0079",)


def test_asvspoof_may_be_unpacked_one_folder_lower_or_in_part(tmp_path: Path) -> None:
    trees.asvspoof_2019(tmp_path)
    assert len(load(tmp_path / "LA")) == 9
    trees.asvspoof_5(tmp_path / "five")
    for name in ("flac_D", "flac_E_eval"):
        (tmp_path / "five" / name).rename(tmp_path / name)
    assert {item.split for item in load(tmp_path / "five")} == {"train"}
    (tmp_path / "five/flac_T").rename(tmp_path / "flac_T")
    with pytest.raises(LayoutError, match="flac_T: is missing, though ASVspoof5.train.tsv is there"):
        load(tmp_path / "five")


def test_asvspoof_2021_takes_split_and_source_from_the_keys(tmp_path: Path) -> None:
    items = {item.path.stem: item for item in tree(tmp_path, trees.asvspoof_2021).values()}
    assert (items["LA_E_6866159"].label, items["LA_E_6866159"].split) == ("real", "progress")
    assert (items["DF_E_2000012"].repo, items["DF_E_2000012"].fake_type) == ("asvspoof2021/vcc2018", "speech")
    assert items["DF_E_2000011"].generator == "asvspoof2021/asvspoof:A14"
    assert items["PA_E_1000001"].fake_type == "replay"


def test_asvspoof_5_pairs_a_coded_utterance_with_the_one_it_was_made_from(tmp_path: Path) -> None:
    items = {item.path.stem: item for item in tree(tmp_path, trees.asvspoof_5).values()}
    assert items["T_0000000002"].pair_id == items["T_0000000001"].pair_id != items["T_0000000000"].pair_id
    assert items["E_0000000000"].method == "A05"


def test_a_manifest_gives_what_it_states_and_no_more(tmp_path: Path) -> None:
    items = tree(tmp_path, trees.manifest)
    real, fake = items["a/real.mp4"], items["a/fake.mp4"]
    assert (real.video_label, real.audio_label, real.duration_s, real.tags) == (
        "real",
        "real",
        2.5,
        ("cartoon",),
    )
    assert (real.identities, fake.identities, real.pair_id) == (("p1",), (), "x")
    assert (fake.spans, fake.video_spans, fake.audio_spans) == (((1.0, 2.0),), (), ((1.0, 2.0),))
    unlabelled = items["b/unlabelled.flac"]
    assert (unlabelled.kind, unlabelled.label, unlabelled.spans) == ("audio", None, None)
    assert items["b/face.jpg"].generator == "two/repo:StyleGAN"


@pytest.mark.parametrize(
    ("build", "name", "text", "said"),
    [
        (trees.manifest, "manifest.jsonl", "{", "line 1 is not JSON"),
        (trees.manifest, "manifest.jsonl", '{"path": "a/fake.mp4", "label": "fke"}', "'fke' is neither"),
        (trees.manifest, "manifest.jsonl", '{"path": "a/fake.mp4", "intervals": [[2, 1]]}', "ends before"),
        (trees.manifest, "manifest.jsonl", '{"label": "fake"}', "line 1 has no path"),
        (trees.manifest, "manifest.jsonl", '{"path": "a/fake.mp4", "duration_s": "2"}', "no number"),
        (trees.manifest, "manifest.jsonl", '{"path": "manifest.jsonl"}', "of kind None"),
        (trees.lav_df, "metadata.json", '[{"file": "test/000000.mp4"}]', "has no 'modify_video'"),
        (trees.lav_df, "metadata.json", "[", "is not JSON"),
        (trees.dfdc, "dfdc_train_part_0/metadata.json", '{"0aaa.mp4": {"label": "?"}}', "neither real"),
        (trees.dfdc, "dfdc_train_part_0/metadata.json", "[]", "holds no JSON object"),
        (trees.av_deepfake1m, "val_metadata.json", '[{"file": "a/b/c.mp4", "modify_type": "x"}]', "type 'x'"),
        (trees.fakeavceleb, "meta_data.csv", "source,path", "has no column 'target1'"),
        (trees.in_the_wild, "meta.csv", "file,speaker,label\n0.wav,A,real", "line 2"),
        (trees.in_the_wild, "meta.csv", "file,speaker,label\n0.wav", "too few cells"),
        (trees.celeb_df, "List_of_testing_videos.txt", "0 YouTube-real/00170.mp4", "is not labelled 0"),
        (trees.faceforensics, "splits/train.json", "[1]", "is not a pair"),
        (trees.asvspoof_5, "ASVspoof5_protocols/ASVspoof5.train.tsv", "T_1 T_2", "has 2 columns, not 9"),
        (trees.asvspoof_2019, "LA/ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm.dev.trl.txt",
         "LA_0079 LA_D_0 - - fake", "'fake' is neither bonafide nor spoof"),
    ],
)  # fmt: skip
def test_a_broken_list_is_named_with_what_is_wrong(
    tmp_path: Path, build: Callable[[Path], None], name: str, text: str, said: str
) -> None:
    build(tmp_path)
    (tmp_path / name).write_text(text)
    with pytest.raises(LayoutError, match=said) as caught:
        load(tmp_path)
    assert str(tmp_path / name) in str(caught.value)


def test_a_file_named_otherwise_than_published_is_named(tmp_path: Path) -> None:
    trees.faceforensics(tmp_path)
    trees.touch(tmp_path, "manipulated_sequences/Deepfakes/c23/videos/000.mp4")
    with pytest.raises(LayoutError, match=r"Deepfakes/c23/videos/000\.mp4: is not named target_source"):
        load(tmp_path)


def test_an_empty_or_unknown_tree_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="looks like none of"):
        load(tmp_path)
    (tmp_path / "original_sequences").mkdir()
    with pytest.raises(LayoutError, match=r"holds no files as faceforensics\+\+"):
        load(tmp_path)
    with pytest.raises(LayoutError, match="layout 'mine' is none of"):
        load(tmp_path, "mine")


def test_the_place_comes_from_the_argument_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VERACITY_MEDIA", raising=False)
    with pytest.raises(LayoutError, match="VERACITY_MEDIA is not set"):
        place_of(None)
    monkeypatch.setenv("VERACITY_MEDIA", str(tmp_path))
    assert place_of(None) == tmp_path
    with pytest.raises(LayoutError, match="does not exist"):
        place_of(tmp_path / "nowhere")


def test_data_sets_made_of_the_same_people_name_them_alike(tmp_path: Path) -> None:
    trees.fakeavceleb(tmp_path / "one")
    trees.av_deepfake1m(tmp_path / "two")
    spaces = [{name.partition(":")[0] for item in load(tmp_path / tree) for name in item.identities}
              for tree in ("one", "two")]  # fmt: skip
    assert spaces == [{"voxceleb2"}, {"voxceleb2"}]


FOLDER = os.environ.get("VERACITY_MEDIA", "")


@pytest.mark.media
@pytest.mark.skipif(not FOLDER, reason="VERACITY_MEDIA names no media folder")
def test_the_media_folder_is_read_and_every_source_can_be_left_out() -> None:
    items = load()
    assert not [item for item in trainable(items) if "ND" in item.licence]
    folds = list(leave_out(items))
    assert {fold.name for fold in folds} == {item.repo for item in items}
    for fold in folds:
        people = [{name for i in part for name in items[i].identities} for part in (fold.train, fold.test)]
        assert not people[0] & people[1]
        assert len(fold.dropped) < len(items) / 5


def test_one_file_of_lines_is_a_manifest_too(tmp_path: Path) -> None:
    trees.manifest(tmp_path)
    moved = tmp_path / "evaluate.jsonl"
    moved.write_text(json.dumps({"path": str(tmp_path / "b/face.jpg")}))
    assert [item.kind for item in load(moved)] == ["image"]
