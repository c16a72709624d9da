"""Every data set that can be trained or evaluated on: one table, one `load`."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from training.data.faces import celeb_df, dfdc, faceforensics
from training.data.items import Item, LayoutError
from training.data.manifest import manifest
from training.data.speech import asvspoof_5, asvspoof_2019, asvspoof_2021, in_the_wild
from training.data.talking import av_deepfake1m, fakeavceleb, lav_df


@dataclass(frozen=True)
class Layout:
    """A published layout: how it is read, what tells it apart, and the licence its files are under."""

    read: Callable[[Path], Iterable[Item]]
    marks: tuple[str, ...]  # globs below the root; any of them tells this layout
    licence: str = ""  # as its authors state it


LAYOUTS: dict[str, Layout] = {
    "manifest": Layout(manifest, ("manifest.jsonl",)),
    "faceforensics++": Layout(
        faceforensics,
        ("original_sequences", "manipulated_sequences"),
        "FaceForensics terms of use (research)",
    ),
    "celeb-df-v2": Layout(celeb_df, ("List_of_testing_videos.txt",), "Celeb-DF terms of use (research)"),
    "fakeavceleb": Layout(fakeavceleb, ("meta_data.csv",), "FakeAVCeleb request form (research)"),
    "av-deepfake1m": Layout(av_deepfake1m, ("train_metadata.json", "val_metadata.json"), "CC-BY-NC-4.0"),
    "lav-df": Layout(lav_df, ("dev/", "metadata.min.json"), "CC-BY-NC-4.0"),
    "asvspoof2019": Layout(
        asvspoof_2019,
        ("[LP]A/ASVspoof2019_[LP]A_cm_protocols", "ASVspoof2019_[LP]A_cm_protocols"),
        "ODC-By-1.0",
    ),
    "asvspoof2021": Layout(asvspoof_2021, ("ASVspoof2021_*_eval",), "ODC-By-1.0"),
    "asvspoof5": Layout(asvspoof_5, ("ASVspoof5_protocols", "ASVspoof5.*.tsv"), "ODC-By-1.0"),
    "in-the-wild": Layout(in_the_wild, ("meta.csv",), ""),
    "dfdc": Layout(
        dfdc, ("dfdc_train_part_*", "dataset.json", "metadata.json", "*/metadata.json"), "DFDC licence"
    ),
}


def place_of(data: str | os.PathLike[str] | None) -> Path:
    """Where the data are: what `--data` says, else VERACITY_MEDIA. Raises `LayoutError` if nowhere."""
    said = data or os.environ.get("VERACITY_MEDIA")
    if not said:
        raise LayoutError(Path("--data"), "is not given, and VERACITY_MEDIA is not set")
    place = Path(said)
    if not place.exists():
        raise LayoutError(place, f"does not exist ({'--data' if data else 'VERACITY_MEDIA'} names it)")
    return place


def layout_of(place: Path) -> str:
    """The first layout of the table one of whose marks is there."""
    if place.is_file():
        return "manifest"
    for name, layout in LAYOUTS.items():
        if any(next(place.glob(mark), None) is not None for mark in layout.marks):
            return name
    raise LayoutError(place, f"looks like none of {', '.join(LAYOUTS)}")


def load(data: str | os.PathLike[str] | None = None, layout: str = "auto") -> list[Item]:
    """All items of a data set, in an order that does not depend on the file system.

    Every file is there. Raises `LayoutError`, which names the file at fault, and for a tree that
    holds nothing.
    """
    place = place_of(data)
    name = layout_of(place) if layout == "auto" else layout
    if name not in LAYOUTS:
        raise LayoutError(place, f"layout {name!r} is none of {', '.join(LAYOUTS)}")
    chosen = LAYOUTS[name]
    items = list(_licensed(chosen.read(place), chosen.licence))
    if not items:
        raise LayoutError(place, f"holds no files as {name} lays them out")
    return items


def _licensed(items: Iterable[Item], licence: str) -> Iterator[Item]:
    for item in items:
        yield replace(item, licence=item.licence or licence)
