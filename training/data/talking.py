"""FakeAVCeleb, LAV-DF and AV-Deepfake1M: talking people with picture or sound or both faked."""

import re
from collections.abc import Iterator
from pathlib import Path

from training.data.items import Item, LayoutError, Span
from training.data.reading import csv_of, field, json_of, present, spans_of

_FAKEAV_TYPES = {  # type -> picture faked, sound faked
    "RealVideo-RealAudio": (False, False), "FakeVideo-RealAudio": (True, False),
    "RealVideo-FakeAudio": (False, True), "FakeVideo-FakeAudio": (True, True),
}  # fmt: skip
_FAKEAV_METHODS = {"faceswap": "face_swap", "fsgan": "face_swap", "wav2lip": "lip_sync", "rtvc": "tts"}
_AVDF_TYPES = {  # modify_type -> picture faked, sound faked
    "real": (False, False), "visual_modified": (True, False), "audio_modified": (False, True),
    "both_modified": (True, True),
}  # fmt: skip


def fakeavceleb(root: Path) -> Iterator[Item]:
    """FakeAVCeleb v1.2 (Khalid et al. 2021): meta_data.csv beside the four folders RealVideo-RealAudio, ...

    The published header ends in a comma: the column named `path` is the file's name and the nameless
    one its folder below "FakeAVCeleb". People are VoxCeleb2's; a fake's file name begins with the
    number of the clip it was made from.
    """
    listing = root / "meta_data.csv"
    for line, row in csv_of(listing, ("source", "target1", "target2", "method", "type", "path")):
        name, folder = row["path"], row.get("") or ""
        if "filename" in row:  # a later copy of the list names its columns
            name, folder = row["filename"], row["path"]
        if row["type"] not in _FAKEAV_TYPES:
            raise LayoutError(listing, f"line {line}: type {row['type']!r} is none of the four")
        picture, sound = _FAKEAV_TYPES[row["type"]]
        path = present(root.joinpath(*Path(folder).parts[1:], name), listing)
        tokens = (row["source"], row["target1"], row["target2"], *path.stem.split("_"))
        people = dict.fromkeys(f"voxceleb2:{token}" for token in tokens if re.fullmatch(r"id\d+", token))
        yield _talking(
            path, "fakeavceleb", picture, sound,
            method="" if row["method"] == "real" else row["method"],
            fake_type=_FAKEAV_METHODS.get(row["method"].partition("-")[0], ""),
            identities=tuple(people), pair_id=f"voxceleb2:{row['source']}/{path.stem.partition('_')[0]}",
        )  # fmt: skip


def lav_df(root: Path) -> Iterator[Item]:
    """LAV-DF (Cai et al. 2022): metadata.json (or metadata.min.json) and the folders train, dev and test.

    Words replaced: `fake_periods` in seconds, in the streams that `modify_video` and `modify_audio`
    name. Nobody's identity is published, only the original of a fake.
    """
    listing = root / "metadata.json"
    listing = listing if listing.exists() else root / "metadata.min.json"
    for entry in json_of(listing, list):
        name = str(field(entry, "file", listing, "an entry"))
        picture, sound = (bool(field(entry, f"modify_{s}", listing, name)) for s in ("video", "audio"))
        methods = [*(["Wav2Lip"] if picture else []), *(["SV2TTS"] if sound else [])]
        yield _talking(
            present(root / name, listing), "lav-df", picture, sound, method="+".join(methods),
            spans=spans_of(field(entry, "fake_periods", listing, name), listing, name),
            pair_id=f"lav-df:{entry.get('original') or name}", duration_s=entry.get("duration"),
            split=str(field(entry, "split", listing, name)),
        )  # fmt: skip


def av_deepfake1m(root: Path) -> Iterator[Item]:
    """AV-Deepfake1M (Cai et al. 2024): {train,val}_metadata.json and the folders train and val.

    Files are person/video/clip/{real,...}.mp4, people being VoxCeleb2's. Test labels are not
    published, so test files are not yielded. The metadata of some files list spans for a stream that
    `modify_type` calls untouched (a copy of the other stream's): the type is believed.
    """
    listings = [path for name in ("train", "val") if (path := root / f"{name}_metadata.json").exists()]
    if not listings:
        raise LayoutError(root / "train_metadata.json", "is missing, and so is val_metadata.json")
    for listing in listings:
        subset = listing.name.partition("_")[0]
        for entry in json_of(listing, list):
            name = str(field(entry, "file", listing, "an entry"))
            kind = field(entry, "modify_type", listing, name)
            if kind not in _AVDF_TYPES or len(Path(name).parts) < 3:
                raise LayoutError(listing, f"{name}: modify_type {kind!r} or the name is not as published")
            picture, sound = _AVDF_TYPES[kind]
            whole, seen, heard = (
                spans_of(field(entry, f"{stream}fake_segments", listing, name), listing, name)
                for stream in ("", "visual_", "audio_")
            )
            models = [str(entry[key]) for key in ("video_model", "audio_model") if entry.get(key)]
            frames = entry.get("video_frames")
            yield _talking(
                present(root / subset / name, listing), "av-deepfake1m", picture, sound,
                method="+".join(models), spans=whole, video_spans=seen, audio_spans=heard,
                identities=(f"voxceleb2:{Path(name).parts[0]}",),
                pair_id=f"voxceleb2:{Path(name).parent.as_posix()}",
                duration_s=frames / 25 if isinstance(frames, int) else None, split=subset,
            )  # fmt: skip


def _talking(
    path: Path,
    dataset: str,
    picture: bool,
    sound: bool,
    *,
    method: str = "",
    fake_type: str = "",
    spans: tuple[Span, ...] | None = None,
    video_spans: tuple[Span, ...] | None = None,
    audio_spans: tuple[Span, ...] | None = None,
    identities: tuple[str, ...] = (),
    pair_id: str = "",
    duration_s: float | None = None,
    split: str = "",
) -> Item:
    """A clip with its two streams faked or not; a stream without spans of its own has the clip's."""
    fake = picture or sound
    return Item(
        path, "video", "fake" if fake else "real", dataset,
        (fake_type or ("lip_sync" if picture else "tts")) if fake else "none", method if fake else "",
        repo=dataset, identities=identities, pair_id=pair_id,
        video_label="fake" if picture else "real", audio_label="fake" if sound else "real",
        spans=spans if fake else (),
        video_spans=(spans if video_spans is None else video_spans) if picture else (),
        audio_spans=(spans if audio_spans is None else audio_spans) if sound else (),
        split=split, duration_s=duration_s,
    )  # fmt: skip
