"""ASVspoof 2019, 2021 and 5, and In-the-Wild: real and synthetic speech."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.data.items import Item, Label, LayoutError
from training.data.reading import columns_of, csv_of, present

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Protocol:
    """A list of files: where it and its sound lie below the root, and which column says what."""

    name: str  # of the list; a folder above it may be left out (see `_first`)
    audio: str
    split: str
    columns: int
    utterance: int
    attack: int | None
    key: int
    subset: int | None = None  # where the list itself says which split
    source: int | None = None  # where the recording comes from
    seed: int | None = None  # the utterance that was coded into this one
    people: str = "asvspoof"  # name space of the speakers


def _asvspoof_2019(access: str) -> Iterator[Protocol]:
    # SPEAKER FILE ENVIRONMENT SYSTEM KEY
    for split, kind in (("train", "trn"), ("dev", "trl"), ("eval", "trl")):
        yield Protocol(
            f"{access}/ASVspoof2019_{access}_cm_protocols/ASVspoof2019.{access}.cm.{split}.{kind}.txt",
            f"{access}/ASVspoof2019_{access}_{split}/flac", split, 5, 1, 3 if access == "LA" else None, 4,
        )  # fmt: skip


def _2021_of(
    access: str, columns: int, attack: int | None, key: int, subset: int, source: int | None = None
) -> Protocol:
    listing = f"{access}-keys-full/keys/{access}/CM/trial_metadata.txt"
    return Protocol(listing, f"ASVspoof2021_{access}_eval/flac", "", columns, 1, attack, key, subset, source)


_2019 = (*_asvspoof_2019("LA"), *_asvspoof_2019("PA"))
_2021 = (
    # LA, DF: SPEAKER FILE CODEC SOURCE ATTACK KEY TRIM SUBSET ...; PA: the tenth is KEY, the last SUBSET
    _2021_of("LA", 8, 4, 5, 7), _2021_of("DF", 8, 4, 5, 7, 3), _2021_of("PA", 12, None, 9, 11),
)  # fmt: skip
# SPEAKER FILE GENDER CODEC CODEC_Q CODEC_SEED ATTACK_TAG ATTACK KEY TMP, between spaces despite the name
_5 = tuple(
    Protocol(
        f"ASVspoof5_protocols/ASVspoof5.{name}.tsv", folder, split, 9, 1, 7, 8, seed=5, people="asvspoof5"
    )
    for name, folder, split in (
        ("train", "flac_T", "train"),
        ("dev.track_1", "flac_D", "dev"),
        ("eval.track_1", "flac_E_eval", "eval"),
    )
)  # fmt: skip
# ASVspoof 2019 LA's evaluation plan; A13 to A15 convert synthetic speech. Its eval systems are 2021's too.
_VOICE_CONVERSION = {"A05", "A06", "A13", "A14", "A15", "A17", "A18", "A19"}
_ASVSPOOF_1_TO_19 = {f"A{number:02}" for number in range(1, 20)}


def asvspoof_2019(root: Path) -> Iterator[Item]:
    """ASVspoof 2019 (Wang et al. 2020): LA and PA, whichever is there; the root may be either itself."""
    return _read(root, "asvspoof2019", _2019)


def asvspoof_2021(root: Path) -> Iterator[Item]:
    """ASVspoof 2021 (Liu et al. 2023): LA, DF and PA with the keys published afterwards, below the root."""
    return _read(root, "asvspoof2021", _2021)


def asvspoof_5(root: Path) -> Iterator[Item]:
    """ASVspoof 5, track 1 (Wang et al. 2024): flac_T, flac_D, flac_E_eval and the protocols."""
    return _read(root, "asvspoof5", _5)


def _read(root: Path, dataset: str, protocols: Sequence[Protocol]) -> Iterator[Item]:
    found = [(p, path) for p in protocols if (path := _first(root, p.name)) is not None]
    if not found:
        raise LayoutError(root / protocols[0].name, "is missing, and every other protocol too")
    heard = False
    for protocol, path in found:
        audio = _first(root, protocol.audio)
        if audio is None:  # all lists come in one archive, sound in several
            _log.warning("%s is left out: %s is not there", path.name, protocol.audio)
            continue
        heard = True
        for number, words in columns_of(path, protocol.columns):
            yield _item(dataset, protocol, path, audio, number, words)
    if not heard:
        raise LayoutError(root / found[0][0].audio, f"is missing, though {found[0][1].name} is there")


def _item(dataset: str, p: Protocol, listing: Path, audio: Path, number: int, words: list[str]) -> Item:
    if words[p.key] not in ("bonafide", "spoof"):
        raise LayoutError(listing, f"line {number}: {words[p.key]!r} is neither bonafide nor spoof")
    label: Label = "real" if words[p.key] == "bonafide" else "fake"
    attack = "replay" if p.attack is None else words[p.attack]
    seed = words[p.seed] if p.seed is not None else "-"
    if p.attack is None:
        fake_type = "replay"
    elif dataset == "asvspoof5" or attack not in _ASVSPOOF_1_TO_19:
        fake_type = "speech"  # synthetic, by means that the list does not state
    else:
        fake_type = "vc" if attack in _VOICE_CONVERSION else "tts"
    return Item(
        present(audio / f"{words[p.utterance]}.flac", listing), "audio", label, dataset,
        "none" if label == "real" else fake_type, "" if label == "real" else attack,
        repo=dataset if p.source is None else f"{dataset}/{words[p.source]}",
        identities=(f"{p.people}:{words[0]}",),
        pair_id=f"{dataset}:{words[p.utterance] if seed == '-' else seed}" if p.seed is not None else "",
        audio_label=label, spans=() if label == "real" else None, audio_spans=() if label == "real" else None,
        split=words[p.subset] if p.subset is not None else p.split,
    )  # fmt: skip


def _first(root: Path, name: str) -> Path | None:
    """root/a/b/c, or without up to two of its first folders, as unpacked archives have it: root/c."""
    parts = Path(name).parts
    tries = (root.joinpath(*parts[start:]) for start in range(min(3, len(parts))))
    return next((path for path in tries if path.exists()), None)


def in_the_wild(root: Path) -> Iterator[Item]:
    """In-the-Wild (Mueller et al. 2022): meta.csv (file, speaker, label) beside the WAV files."""
    listing = root / "meta.csv"
    for line, row in csv_of(listing, ("file", "speaker", "label")):
        if row["label"] not in ("bona-fide", "spoof"):
            raise LayoutError(listing, f"line {line}: {row['label']!r} is neither bona-fide nor spoof")
        real = row["label"] == "bona-fide"
        yield Item(
            present(root / row["file"], listing), "audio", "real" if real else "fake", "in-the-wild",
            "none" if real else "speech", "" if real else "In-the-Wild", repo="in-the-wild",
            identities=(f"in-the-wild:{row['speaker']}",), audio_label="real" if real else "fake",
            spans=() if real else None, audio_spans=() if real else None,
        )  # fmt: skip
