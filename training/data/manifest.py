"""A manifest of one's own: JSON lines, one file each. See `manifest` for the fields."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training.data.items import Item, Kind, Label, LayoutError
from training.data.reading import present, spans_of, text_of

_SUFFIXES: dict[str, Kind] = {
    **dict.fromkeys((".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"), "video"),
    **dict.fromkeys((".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac"), "audio"),
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".webp", ".bmp"), "image"),
}  # fmt: skip


def manifest(place: Path) -> Iterator[Item]:
    """The items of `manifest.jsonl`, or of the folder that it is in.

    Only `path` is needed, relative to the manifest or absolute. Read where they are: kind (else by
    suffix), label, fake_type, method, repo, identity_hint, pair_id, licence, duration_s, has_audio,
    sha256, tags, split, and for localisation intervals, video_intervals, audio_intervals
    ([[start, end], ...] in seconds) with video_label and audio_label.
    """
    path = place / "manifest.jsonl" if place.is_dir() else place
    for number, line in enumerate(text_of(path).splitlines(), 1):
        if line.strip():
            yield _item(path, f"line {number}", line)


def _item(listing: Path, where: str, line: str) -> Item:
    try:
        entry = json.loads(line)
    except json.JSONDecodeError as error:
        raise LayoutError(listing, f"{where} is not JSON") from error
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise LayoutError(listing, f"{where} has no path")
    path = present(listing.parent / entry["path"], listing)
    kind = _kind(entry, path, listing, where)
    label = _label(entry, "label", listing, where)
    video, audio = _streams(entry, kind, label, listing, where)
    return Item(
        path, kind, label, "manifest", _text(entry, "fake_type") or ("none" if label == "real" else ""),
        _text(entry, "method"), repo=_text(entry, "repo"),
        identities=(_text(entry, "identity_hint"),) if entry.get("identity_hint") else (),
        pair_id=_text(entry, "pair_id"), licence=_text(entry, "licence"),
        video_label=video, audio_label=audio,
        spans=_spans(entry, "intervals", label, listing, where),
        video_spans=_spans(entry, "video_intervals", video, listing, where),
        audio_spans=_spans(entry, "audio_intervals", audio, listing, where),
        split=_text(entry, "split"), duration_s=_seconds(entry, listing, where),
        sha256=_text(entry, "sha256"), tags=tuple(map(str, entry.get("tags") or ())),
    )  # fmt: skip


def _kind(entry: dict[str, Any], path: Path, listing: Path, where: str) -> Kind:
    said = entry.get("kind", _SUFFIXES.get(path.suffix.lower()))
    for kind in ("video", "audio", "image"):
        if said == kind:
            return kind
    raise LayoutError(listing, f"{where}: {path.name} is of kind {said!r}, not video, audio or image")


def _label(entry: dict[str, Any], name: str, listing: Path, where: str) -> Label | None:
    said = entry.get(name)
    if said not in ("real", "fake", None):
        raise LayoutError(listing, f"{where}: {name} {said!r} is neither real nor fake")
    return "real" if said == "real" else "fake" if said == "fake" else None


def _streams(
    entry: dict[str, Any], kind: Kind, label: Label | None, listing: Path, where: str
) -> tuple[Label | None, Label | None]:
    """The labels of picture and sound: as stated, or as the file's follows for certain."""
    video, audio = (_label(entry, f"{stream}_label", listing, where) for stream in ("video", "audio"))
    if kind != "audio" and (kind == "image" or label == "real" or entry.get("fake_type") == "talking_head"):
        video = video or label
    if kind == "audio" or (kind == "video" and label == "real" and entry.get("has_audio")):
        audio = audio or label
    return video, audio


def _spans(
    entry: dict[str, Any], name: str, label: Label | None, listing: Path, where: str
) -> tuple[tuple[float, float], ...] | None:
    if entry.get(name) is not None:
        return spans_of(entry[name], listing, where)
    return () if label == "real" else None


def _seconds(entry: dict[str, Any], listing: Path, where: str) -> float | None:
    said = entry.get("duration_s")
    if said is not None and not (isinstance(said, int | float) and said >= 0):
        raise LayoutError(listing, f"{where}: duration_s {said!r} is no number of seconds")
    return said


def _text(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    return "" if value is None else str(value)
