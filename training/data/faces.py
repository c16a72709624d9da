"""FaceForensics++, Celeb-DF v2 and DFDC: faces swapped or driven in video."""

from collections.abc import Iterator
from pathlib import Path

from training.data.items import Item, Label, LayoutError
from training.data.reading import columns_of, field, json_of, present

_FF_FAKES = {  # folder of manipulated_sequences -> fake type
    "Deepfakes": "face_swap", "FaceSwap": "face_swap", "FaceShifter": "face_swap",
    "DeepFakeDetection": "face_swap", "Face2Face": "reenactment", "NeuralTextures": "reenactment",
}  # fmt: skip
_FF_REALS = ("youtube", "actors")
_FF_COMPRESSIONS = ("raw", "c23", "c40")
_CELEB = {"Celeb-real": "real", "YouTube-real": "real", "Celeb-synthesis": "fake"}


def faceforensics(root: Path) -> Iterator[Item]:
    """FaceForensics++ (Roessler et al. 2019) with its DeepFakeDetection part, as its script downloads it.

    original_sequences/{youtube,actors} and manipulated_sequences/{method}, each /{raw,c23,c40}/videos;
    whatever methods and compressions are there. A fake is named target_source. splits/{train,val,
    test}.json, from the authors' repository, is read where it is: lists of [target, source].
    """
    published = _ff_splits(root)
    places = [("original_sequences", name, "") for name in _FF_REALS]
    places += [("manipulated_sequences", name, kind) for name, kind in _FF_FAKES.items()]
    for half, name, fake_type in places:
        for compression in _FF_COMPRESSIONS:
            for path in sorted((root / half / name / compression / "videos").glob("*.mp4")):
                people, recording = _ff_people(path, bool(fake_type))
                label: Label = "fake" if fake_type else "real"
                yield Item(
                    path, "video", label, "faceforensics++", fake_type or "none", name if fake_type else "",
                    repo="faceforensics++", identities=people, pair_id=recording, video_label=label,
                    spans=None if fake_type else (), video_spans=None if fake_type else (),
                    split=published.get(path.stem.partition("_")[0], "") if "dfd" not in recording else "",
                    tags=(compression,),
                )  # fmt: skip


def _ff_people(path: Path, fake: bool) -> tuple[tuple[str, ...], str]:
    """Identities, and the recording a fake was made in: "000_003", or of actors "01_02__scene__code"."""
    people, _, scene = path.stem.partition("__")
    names = people.split("_")
    if not all(name.isdigit() for name in names) or len(names) != (2 if fake else 1):
        raise LayoutError(path, f"is not named {'target_source' if fake else 'a number'}")
    if scene:
        scene = scene.rpartition("__")[0] if fake else scene
        return tuple(f"dfd:{name}" for name in names), f"dfd:{names[0]}__{scene}"
    return tuple(f"ff++:{name}" for name in names), f"ff++:{names[0]}"


def _ff_splits(root: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in ("train", "val", "test"):
        path = root / "splits" / f"{name}.json"
        for pair in json_of(path, list) if path.exists() else ():
            if not isinstance(pair, list):
                raise LayoutError(path, f"{pair!r} is not a pair of numbers")
            found.update((str(number), name) for number in pair)
    return found


def celeb_df(root: Path) -> Iterator[Item]:
    """Celeb-DF v2 (Li et al. 2020): Celeb-real, YouTube-real, Celeb-synthesis, List_of_testing_videos.txt.

    Celeb-synthesis/idT_idS_clip.mp4 puts the face of S into Celeb-real/idT_clip.mp4. In the list,
    1 is real and 0 fake. Who is in YouTube-real is not published.
    """
    listing = root / "List_of_testing_videos.txt"
    tests = set()
    for number, (flag, name, *_) in columns_of(listing, 2):
        if flag != {"real": "1", "fake": "0"}.get(_CELEB.get(Path(name).parts[0], "")):
            raise LayoutError(listing, f"line {number}: {name} is not labelled {flag}")
        tests.add(present(root / name, listing))
    for folder, label in _CELEB.items():
        for path in sorted((root / folder).glob("*.mp4")):
            parts, fake = path.stem.split("_"), label == "fake"
            if len(parts) != {"Celeb-real": 2, "YouTube-real": 1, "Celeb-synthesis": 3}[folder]:
                raise LayoutError(path, f"is not named as the files of {folder} are")
            yield Item(
                path, "video", "fake" if fake else "real", "celeb-df-v2",
                "face_swap" if fake else "none", "Celeb-DF v2" if fake else "",
                repo="celeb-df-v2", identities=tuple(f"celeb-df:{name}" for name in parts[:-1]),
                pair_id=f"celeb-df:{parts[0]}_{parts[-1]}", video_label="fake" if fake else "real",
                spans=None if fake else (), video_spans=None if fake else (),
                split="test" if path in tests else "train",
            )  # fmt: skip


def dfdc(root: Path) -> Iterator[Item]:
    """DFDC (Dolhansky et al. 2020): dfdc_train_part_*/metadata.json, or the preview's dataset.json.

    The challenge's metadata name the original of a fake and nobody's identity: only the original
    ties files together. The preview's name target and swapped person. Some fakes have a fake voice
    and nobody says which, so a fake's sound has no label.
    """
    preview = root / "dataset.json"
    if preview.exists():
        yield from _dfdc_preview(root, preview)
        return
    parts = [root, *sorted(path for path in root.iterdir() if path.is_dir())]
    listings = [part / "metadata.json" for part in parts if (part / "metadata.json").exists()]
    if not listings:
        raise LayoutError(root / "metadata.json", "is missing, here and in every part")
    for listing in listings:
        for name, entry in sorted(json_of(listing, dict).items()):
            label = _label(field(entry, "label", listing, name), listing, name)
            original = entry.get("original") if label == "fake" else name
            yield _dfdc_item(listing.parent / name, listing, label, f"dfdc:{original or name}", (), entry)


def _dfdc_preview(root: Path, listing: Path) -> Iterator[Item]:
    for name, entry in sorted(json_of(listing, dict).items()):
        label = _label(field(entry, "label", listing, name), listing, name)
        people = [field(entry, "target_id", listing, name), entry.get("swapped_id")]
        identities = tuple(f"dfdc-preview:{person}" for person in people if person is not None)
        yield _dfdc_item(root / name, listing, label, "", identities, {"split": entry.get("set", "")})


def _dfdc_item(
    path: Path, listing: Path, label: Label, pair: str, people: tuple[str, ...], entry: dict[str, str]
) -> Item:
    real = label == "real"
    return Item(
        present(path, listing), "video", label, "dfdc", "none" if real else "face_swap",
        "" if real else "DFDC", repo="dfdc", identities=people, pair_id=pair, video_label=label,
        audio_label="real" if real else None, spans=() if real else None,
        video_spans=() if real else None, audio_spans=() if real else None, split=entry.get("split", ""),
    )  # fmt: skip


def _label(value: object, listing: Path, name: str) -> Label:
    if str(value).lower() not in ("real", "fake"):
        raise LayoutError(listing, f"{name} has label {value!r}, neither real nor fake")
    return "real" if str(value).lower() == "real" else "fake"
