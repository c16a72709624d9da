import json
import wave
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.support.media_maker import make
from training.data.fingerprints import Fingerprint, fingerprint, fingerprints, picture_hash, sound_hash
from training.data.groups import PICTURE_BITS, SOUND_BITS, components, near_duplicates, neighbours
from training.data.items import Item, LayoutError


def picture(seed: int) -> NDArray[np.uint8]:
    """Soft shapes, as a photograph's low frequencies are: uint8 (240, 320, 3)."""
    coarse = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC), np.uint8)


def recoded(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    small = cv2.resize(rgb, (150, 110), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 40])
    again = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert again is not None
    return np.clip(again.astype(np.float64) * 0.9 + 12, 0, 255).astype(np.uint8)


def speech(seed: int, seconds: float = 2.0) -> NDArray[np.float32]:
    """Noise in bands whose loudness moves as syllables do: float32 (N,) at 16 kHz."""
    rng = np.random.default_rng(seed)
    count = int(seconds * 16_000)
    spectrum = np.fft.rfft(rng.normal(size=(8, count)), axis=1)
    at = np.fft.rfftfreq(count, 1 / 16_000)
    sound = np.zeros(count)
    for row, low in zip(spectrum, np.geomspace(200, 3000, 8), strict=True):
        band = np.fft.irfft(row * ((at >= low) & (at < low * 1.5)), count)
        sound += band * np.interp(
            np.arange(count), np.arange(0, count, 1600), rng.uniform(0.02, 1, -(-count // 1600))
        )
    return np.asarray(0.3 * sound / np.abs(sound).max(), np.float32)


def bits(a: bytes | None, b: bytes | None) -> int:
    assert a is not None and b is not None
    return sum((x ^ y).bit_count() for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_a_picture_coded_again_and_resized_keeps_its_hash(seed: int) -> None:
    original = picture_hash(picture(seed))
    assert bits(original, picture_hash(recoded(picture(seed)))) <= PICTURE_BITS
    assert bits(original, picture_hash(picture(seed + 100))) > 2 * PICTURE_BITS


@pytest.mark.parametrize("seed", range(5))
def test_a_sound_made_quieter_filtered_and_noisy_keeps_its_hash(seed: int) -> None:
    sound = speech(seed)
    noise = np.random.default_rng(seed).normal(0, 0.0005, len(sound))
    filtered = 0.3 * (sound[1:] + 0.6 * sound[:-1]) + noise[1:]
    later = np.concatenate([np.zeros(4000), filtered]).astype(np.float32)
    assert bits(sound_hash(sound), sound_hash(later)) <= SOUND_BITS
    assert bits(sound_hash(sound), sound_hash(speech(seed + 100))) > 1.5 * SOUND_BITS


def test_nothing_to_see_or_hear_has_no_hash() -> None:
    assert picture_hash(np.full((90, 160, 3), 7, np.uint8)) is None
    assert sound_hash(np.zeros(16_000, np.float32)) is None
    assert sound_hash(speech(1)[:1000]) is None
    assert sound_hash(np.empty(0, np.float32)) is None


@given(st.lists(st.one_of(st.none(), st.binary(min_size=4, max_size=4)), max_size=30), st.integers(0, 3))
def test_neighbours_are_exactly_the_pairs_within_the_distance(
    hashes: list[bytes | None], distance: int
) -> None:
    wanted = {
        (i, j)
        for i, a in enumerate(hashes)
        for j, b in enumerate(hashes)
        if i < j and a and b and bits(a, b) <= distance
    }
    assert set(neighbours(hashes, distance)) == wanted


def test_copies_further_apart_than_the_search_is_exact_for_are_found_all_but_always() -> None:
    rng = np.random.default_rng(0)
    hashes: list[bytes | None] = []
    for _ in range(200):
        bits_ = rng.integers(0, 2, 256)
        noisy = bits_.copy()
        noisy[rng.choice(256, SOUND_BITS, replace=False)] ^= 1
        hashes += [np.packbits(bits_).tobytes(), np.packbits(noisy).tobytes()]
    found = set(neighbours(hashes, SOUND_BITS))
    assert len(found) >= 195
    assert all(b == a + 1 and a % 2 == 0 for a, b in found)


links = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=20)


@given(links)
def test_components_are_what_walking_the_links_reaches(pairs: list[tuple[int, int]]) -> None:
    def reached(start: int, known: Iterable[tuple[int, int]]) -> frozenset[int]:
        seen, grown = set[int](), {start}
        while seen != grown:
            seen = set(grown)
            grown |= {b for a, b in known if a in seen} | {a for a, b in known if b in seen}
        return frozenset(seen)

    assert components(12, pairs) == [min(reached(node, pairs)) for node in range(12)]


def test_copies_of_copies_are_one_group_whether_seen_or_heard() -> None:
    base, near = bytes(range(8)), bytes([0b11, *range(1, 8)])
    voice = bytes(range(100, 132))
    prints = [
        Fingerprint("a", base.hex()), Fingerprint("b", near.hex(), voice.hex()),
        Fingerprint("c", "", voice.hex()),
        Fingerprint("d", bytes(range(200, 208)).hex()), Fingerprint("e"), Fingerprint("e"), Fingerprint(),
    ]  # fmt: skip
    assert near_duplicates(prints) == [0, 0, 0, 3, 4, 4, 6]


def test_files_are_decoded_hashed_and_remembered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bgr = np.ascontiguousarray(picture(1)[:, :, ::-1])
    for name, parameters in (("a.png", []), ("b.jpg", [cv2.IMWRITE_JPEG_QUALITY, 60])):
        assert cv2.imwrite(str(tmp_path / name), bgr, parameters)
    (tmp_path / "broken.wav").write_bytes(b"not sound at all")
    items = [Item(tmp_path / name, "image", "real", "manifest") for name in ("a.png", "b.jpg")]
    items.append(Item(tmp_path / "broken.wav", "audio", "real", "manifest"))
    first = list(fingerprints(items, tmp_path / "cache.jsonl"))
    assert near_duplicates(first) == [0, 0, 2]
    assert "broken.wav has no fingerprint" in caplog.text
    lines = (tmp_path / "cache.jsonl").read_text().splitlines()
    changed = [json.loads(line) | {"sound": "from the cache"} for line in lines]
    (tmp_path / "cache.jsonl").write_text("".join(json.dumps(line) + "\n" for line in changed))
    assert {print_.sound for print_ in fingerprints(items, tmp_path / "cache.jsonl")} == {"from the cache"}


def write_wav(path: Path, samples: NDArray[np.float32], rate: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())


def test_a_clip_in_another_container_and_size_and_speech_by_telephone_are_copies(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(make(seconds=1.0, audio=None))
    (tmp_path / "b.mkv").write_bytes(make(seconds=1.0, audio=None, container="matroska", size=(320, 192)))
    for name, seed in (("c.wav", 1), ("other.wav", 2)):
        write_wav(tmp_path / name, speech(seed), 16_000)
    telephone = np.convolve(speech(1), np.hanning(5) / 2, "same").astype(np.float32)[::2]
    write_wav(tmp_path / "d.wav", 0.4 * telephone, 8_000)
    items = [Item(tmp_path / name, "video", "real", "manifest") for name in ("a.mp4", "b.mkv")]
    items += [Item(tmp_path / name, "audio", "real", "manifest") for name in ("c.wav", "other.wav", "d.wav")]
    assert near_duplicates(list(fingerprints(items))) == [0, 0, 2, 3, 2]


def test_a_file_that_went_away_is_named(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match=r"gone\.png"):
        fingerprint(Item(tmp_path / "gone.png", "image", "real", "manifest"))
