"""Small trees laid out as the data sets are published. Media files are placeholders of a few bytes."""

import json
from collections.abc import Callable
from pathlib import Path


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"media " + name.encode())


def write(root: Path, name: str, *lines: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("\n".join(lines) + "\n")


def faceforensics(root: Path) -> None:
    for number in ("000", "003", "071", "054"):
        touch(root, f"original_sequences/youtube/c23/videos/{number}.mp4")
    for method in ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures", "FaceShifter"):
        for pair in ("000_003", "003_000", "071_054"):
            touch(root, f"manipulated_sequences/{method}/c23/videos/{pair}.mp4")
    touch(root, "manipulated_sequences/Deepfakes/raw/videos/000_003.mp4")
    touch(root, "original_sequences/actors/c23/videos/01__exit_phone_room.mp4")
    touch(root, "manipulated_sequences/DeepFakeDetection/c23/videos/01_02__exit_phone_room__YVGY8LOK.mp4")
    for part, pairs in (("train", [["071", "054"]]), ("val", []), ("test", [["000", "003"]])):
        write(root, f"splits/{part}.json", json.dumps(pairs))


def celeb_df(root: Path) -> None:
    touch(root, *(f"Celeb-real/{name}.mp4" for name in ("id0_0000", "id1_0000", "id1_0001")))
    touch(root, "Celeb-synthesis/id0_id1_0000.mp4", "Celeb-synthesis/id1_id0_0001.mp4")
    touch(root, "YouTube-real/00000.mp4", "YouTube-real/00170.mp4")
    write(
        root, "List_of_testing_videos.txt", "1 YouTube-real/00170.mp4", "0 Celeb-synthesis/id0_id1_0000.mp4"
    )


def dfdc(root: Path) -> None:
    listed = {
        "aaa.mp4": {"label": "REAL", "split": "train"},
        "bbb.mp4": {"label": "FAKE", "split": "train", "original": "aaa.mp4"},
    }
    for part in ("dfdc_train_part_0", "dfdc_train_part_1"):
        names = {f"{part[-1]}{name}": entry for name, entry in listed.items()}
        names[f"{part[-1]}bbb.mp4"] = listed["bbb.mp4"] | {"original": f"{part[-1]}aaa.mp4"}
        touch(root / part, *names)
        write(root / part, "metadata.json", json.dumps(names))


def dfdc_preview(root: Path) -> None:
    listed = {
        "original_videos/643049/643049_A_001.mp4": {
            "label": "real", "target_id": 643049, "swapped_id": None, "set": "train", "augmentations": []},
        "method_A/1028381/1028381_A/643049_1028381_A_001.mp4": {
            "label": "fake", "target_id": 643049, "swapped_id": 1028381, "set": "test", "augmentations": []},
    }  # fmt: skip
    touch(root, *listed)
    write(root, "dataset.json", json.dumps(listed))


def fakeavceleb(root: Path) -> None:
    rows = (
        ("id00076,-,-,real,A,RealVideo-RealAudio,African,men", "00109.mp4"),
        ("id00076,-,-,rtvc,B,RealVideo-FakeAudio,African,men", "00109_fake.mp4"),
        ("id00076,id00761,-,faceswap,C,FakeVideo-RealAudio,African,men", "00109_id00761_Isiq7cA-DNE.mp4"),
        ("id00076,id00476,10,wav2lip,D,FakeVideo-FakeAudio,African,men", "00109_10_id00476_wavtolip.mp4"),
        ("id00166,id00200,3,fsgan-wav2lip,D,FakeVideo-FakeAudio,African,men", "00010_3_id00200_wavtolip.mp4"),
    )  # fmt: skip
    lines = ["source,target1,target2,method,category,type,race,gender,path,"]
    for facts, name in rows:
        source, *_, kind, race, gender = facts.split(",")
        touch(root, f"{kind}/{race}/{gender}/{source}/{name}")
        lines.append(f"{facts},{name},FakeAVCeleb/{kind}/{race}/{gender}/{source}")
    write(root, "meta_data.csv", *lines)


def lav_df(root: Path) -> None:
    facts: dict[str, object] = {"duration": 4.672, "video_frames": 115, "audio_channels": 1}
    listed = [
        {"file": "test/000000.mp4", "n_fakes": 0, "fake_periods": [], "original": None,
         "modify_video": False, "modify_audio": False, "split": "test", **facts},
        {"file": "train/000001.mp4", "n_fakes": 1, "fake_periods": [[1.5, 2.25]],
         "original": "train/000002.mp4", "modify_video": True, "modify_audio": True, "split": "train",
         **facts},
        {"file": "dev/000003.mp4", "n_fakes": 1, "fake_periods": [[0.5, 1.0]], "original": "dev/000004.mp4",
         "modify_video": False, "modify_audio": True, "split": "dev", **facts},
    ]  # fmt: skip
    touch(root, *(str(entry["file"]) for entry in listed))
    write(root, "metadata.json", json.dumps(listed))
    write(root, "metadata.min.json", json.dumps(listed))


def av_deepfake1m(root: Path) -> None:
    folder = "id00012/21Uxsk56VDQ/00001"
    kinds = {
        "real": ("real", [], [], []),
        "fake_video_fake_audio": ("both_modified", [[3.28, 3.46]], [[3.28, 3.46]], [[3.3, 3.4]]),
        "real_video_fake_audio": ("audio_modified", [[3.3, 3.4]], [[3.28, 3.46]], [[3.3, 3.4]]),
    }
    for subset in ("train", "val"):
        listed = [
            {"file": f"{folder}/{name}.mp4", "original": f"{folder}/real.mp4", "split": subset,
             "modify_type": kind, "audio_model": None if kind == "real" else "yourtts",
             "fake_segments": whole, "visual_fake_segments": seen, "audio_fake_segments": heard,
             "video_frames": 237,
             "audio_frames": 151_000}
            for name, (kind, whole, seen, heard) in kinds.items()
        ]  # fmt: skip
        touch(root / subset, *(str(entry["file"]) for entry in listed))
        write(root, f"{subset}_metadata.json", json.dumps(listed))
    touch(root, "test/000000.mp4")
    write(root, "test_files.txt", "000000.mp4")


def asvspoof_2019(root: Path) -> None:
    for access, letter, split, suffix in (
        ("LA", "T", "train", "train.trn"), ("LA", "D", "dev", "dev.trl"), ("LA", "E", "eval", "eval.trl"),
        ("PA", "T", "train", "train.trn"),
    ):  # fmt: skip
        base, names = f"{access}/ASVspoof2019_{access}_{split}", [f"{access}_{letter}_{n}" for n in range(3)]
        touch(root, *(f"{base}/flac/{name}.flac" for name in names))
        facts = ("- - bonafide", "- A01 spoof", "- A17 spoof") if access == "LA" else (
            "aaa - bonafide", "aaa AA spoof", "aab AB spoof")  # fmt: skip
        protocol = f"{access}/ASVspoof2019_{access}_cm_protocols/ASVspoof2019.{access}.cm.{suffix}.txt"
        write(
            root, protocol, *(f"{access}_0079 {name} {fact}" for name, fact in zip(names, facts, strict=True))
        )


def asvspoof_2021(root: Path) -> None:
    write(root, "LA-keys-full/keys/LA/CM/trial_metadata.txt",
          "LA_0009 LA_E_9332881 alaw ita_tx A07 spoof notrim eval",
          "LA_0020 LA_E_6866159 g722 loc_tx bonafide bonafide notrim progress")  # fmt: skip
    touch(root, "ASVspoof2021_LA_eval/flac/LA_E_9332881.flac", "ASVspoof2021_LA_eval/flac/LA_E_6866159.flac")
    write(root, "DF-keys-full/keys/DF/CM/trial_metadata.txt",
          "LA_0023 DF_E_2000011 nocodec asvspoof A14 spoof notrim progress traditional_vocoder - - - -",
          "VCC2SM1 DF_E_2000012 mp3m4a vcc2018 N10 spoof notrim eval neural_vocoder - - - -")  # fmt: skip
    touch(root, "ASVspoof2021_DF_eval/flac/DF_E_2000011.flac", "ASVspoof2021_DF_eval/flac/DF_E_2000012.flac")
    write(root, "PA-keys-full/keys/PA/CM/trial_metadata.txt",
          "PA_0010 PA_E_1000001 R3 M3 d4 r1 m1 s4 c4 spoof notrim eval")  # fmt: skip
    touch(root, "ASVspoof2021_PA_eval/flac/PA_E_1000001.flac")


def asvspoof_5(root: Path) -> None:
    for name, folder, letter in (
        ("train", "flac_T", "T"), ("dev.track_1", "flac_D", "D"), ("eval.track_1", "flac_E_eval", "E")
    ):  # fmt: skip
        touch(root, *(f"{folder}/{letter}_000000000{number}.flac" for number in range(3)))
        write(root, f"ASVspoof5_protocols/ASVspoof5.{name}.tsv",
              f"{letter}_4850 {letter}_0000000000 F - - - AC3 A05 spoof -",
              f"{letter}_4851 {letter}_0000000001 M - - - - bonafide bonafide -",
              f"{letter}_4851 {letter}_0000000002 M C05 3 {letter}_0000000001 - bonafide bonafide -",
              )  # fmt: skip


def in_the_wild(root: Path) -> None:
    touch(root, "0.wav", "1.wav")
    write(
        root, "meta.csv", "file,speaker,label", "0.wav,Alec Guinness,spoof", "1.wav,Alec Guinness,bona-fide"
    )


def manifest(root: Path) -> None:
    entries: list[dict[str, object]] = [
        {"path": "a/real.mp4", "kind": "video", "label": "real", "fake_type": "none", "repo": "one/repo",
         "licence": "MIT (repo code licence)", "identity_hint": "p1", "pair_id": "x", "has_audio": True,
         "duration_s": 2.5, "sha256": "ab", "tags": ["cartoon"], "width": None},
        {"path": "a/fake.mp4", "kind": "video", "label": "fake", "fake_type": "tts", "method": "M",
         "repo": "one/repo", "licence": "none stated", "identity_hint": "", "pair_id": "x",
         "audio_label": "fake", "video_label": "real", "intervals": [[1, 2]],
         "audio_intervals": [[1.0, 2.0]]},
        {"path": "b/unlabelled.flac"},
        {"path": "b/face.jpg", "kind": "image", "label": "fake", "fake_type": "gan", "method": "StyleGAN",
         "repo": "two/repo", "licence": "CC-BY-NC-ND-4.0 (repo code licence)"},
    ]  # fmt: skip
    touch(root, *(str(entry["path"]) for entry in entries))
    write(root, "manifest.jsonl", *map(json.dumps, entries))


TREES: dict[str, Callable[[Path], None]] = {
    "faceforensics++": faceforensics, "celeb-df-v2": celeb_df, "dfdc": dfdc, "fakeavceleb": fakeavceleb,
    "lav-df": lav_df, "av-deepfake1m": av_deepfake1m, "asvspoof2019": asvspoof_2019,
    "asvspoof2021": asvspoof_2021, "asvspoof5": asvspoof_5, "in-the-wild": in_the_wild, "manifest": manifest,
}  # fmt: skip
