"""Every kind of bad file has its name, and every kind of good one its facts."""

import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from shared.media.limits import Limits
from shared.media.probe import probe
from shared.media.sources import MemorySource
from tests.support.media_maker import make
from tests.support.media_reading import look, numbers, read, refusal
from tests.support.mp4_boxes import find, patched

SMALL: dict[str, Any] = {"size": (64, 48), "fps": 10, "seconds": 2.0, "gop": 5}


def test_the_facts_of_a_clip() -> None:
    info = look(make(seconds=2.5, rate=48_000, layout="stereo"))
    assert (info.container, info.width, info.height, info.fps) == ("mp4", 160, 96, 30.0)
    assert (info.video_codec, info.audio_codec) == ("h264", "aac")
    assert (info.sample_rate, info.channels, info.rotation) == (48_000, 2, 0)
    assert (info.has_video, info.has_audio, info.indexed) == (True, True, True)
    assert info.duration_s == pytest.approx(2.5, abs=0.03)
    assert info.start_s == pytest.approx(0.0, abs=0.03)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_rotated_clip_says_its_upright_size(rotation: int) -> None:
    info = look(make(rotation=rotation, **SMALL))
    assert info.rotation == 360 - rotation
    assert (info.width, info.height) == ((64, 48) if rotation == 180 else (48, 64))


def test_one_stream_alone_is_enough() -> None:
    silent, blind = look(make(audio=None, **SMALL)), look(make(video=None, **SMALL))
    assert (silent.has_video, silent.has_audio) == (True, False)
    assert (blind.has_video, blind.has_audio) == (False, True)


def test_one_frame_makes_one_window() -> None:
    data = make(size=(64, 48), seconds=1 / 30, audio=None)
    assert look(data).has_video
    assert numbers(read(data)[0]) == [[0] * 5]


def test_a_single_pixel_is_a_picture() -> None:
    data = make(container="matroska", video="ffv1", pix_fmt="yuv444p", size=(1, 1), audio=None, seconds=1.0)
    info = look(data)
    assert (info.width, info.height) == (1, 1)
    (window,), _ = read(data)
    assert window.frames is not None and window.frames.shape == (5, 1, 1, 3)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"not a film at all", "unsupported_media"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "playlist_refused"),
        (b"\0\0\0\x10ftypmp42\0\0\0\0ffconcat version 1.0\nfile /etc/passwd\n", "unreadable_media"),
        (b"RIFF\xff\xff\xff\xffAVI " + bytes(100), "unreadable_media"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm" + bytes(100), "unreadable_media"),
        (b"fLaC" + b"\xff" * 200, "unreadable_media"),
        (b"OggS" + b"\0" * 200, "unreadable_media"),
    ],
)  # fmt: skip
def test_what_is_no_media_is_refused_by_name(data: bytes, code: str) -> None:
    assert refusal(data) == code


def test_too_large_too_long_too_big_and_too_many() -> None:
    data = make(**SMALL)
    assert refusal(data, Limits(max_bytes=1000)) == "too_large"
    assert refusal(data, Limits(max_duration_s=1.5)) == "too_long"
    assert refusal(data, Limits(max_pixels=64 * 47)) == "too_many_pixels"
    assert refusal(data, Limits(max_streams=1)) == "too_many_streams"
    assert refusal(data, Limits(probe_s=1e-4)) == "decoder_timeout"


def test_a_header_that_promises_16000_by_16000_pixels_is_refused() -> None:
    huge = _png_film(16_000, 16_000)
    assert refusal(huge) == "too_many_pixels"


def _png_film(width: int, height: int) -> bytes:
    """A Matroska film whose header alone says how large it is."""
    data = make(container="matroska", video="ffv1", size=(64, 48), audio=None, seconds=0.5, fps=10)
    old = b"\xb0\x81\x40\xba\x81\x30"  # PixelWidth 64, PixelHeight 48
    assert data.count(old) == 1
    new = b"\xb0\x82" + struct.pack(">H", width) + b"\xba\x82" + struct.pack(">H", height)
    return data.replace(old, new)


def test_an_unknown_codec_in_one_stream_leaves_the_other() -> None:
    data = make(**SMALL)
    blind = patched(data, find(data, b"stsd", 0).body + 12, b"zzzz")
    mute = patched(data, find(data, b"stsd", 1).body + 12, b"zzzz").replace(b"esds", b"zzzz")
    both = patched(mute, find(mute, b"stsd", 0).body + 12, b"zzzz")
    assert (look(blind).has_video, look(blind).has_audio) == (False, True)
    assert (look(mute).has_video, look(mute).has_audio) == (True, False)
    assert refusal(both) == "unsupported_codec"


def test_no_frames_and_no_streams() -> None:
    data = make(audio=None, **SMALL)
    sizes = find(data, b"stsz")
    assert refusal(patched(data, sizes.body + 8, bytes(4))) in ("no_frames", "unreadable_media")
    text = patched(data, find(data, b"hdlr").body + 8, b"text")
    text = patched(text, find(text, b"stsd").body + 12, b"text")
    assert refusal(text) == "no_streams"


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts", "avi", "wav"])
def test_cut_off_anywhere_a_file_is_refused_by_name_or_shorter(container: str) -> None:
    old = {"video": "mpeg4", "audio": "libmp3lame"} if container == "avi" else {}
    kind = {"video": None, "audio": "pcm_s16le"} if container == "wav" else old
    data = make(container=container, **{**SMALL, **kind})
    full = look(data).duration_s
    for tenth in range(1, 10):
        cut = data[: len(data) * tenth // 10]
        if not refusal(cut):
            info = look(cut)
            assert info.duration_s <= full + 0.01
            read(cut, info)


def test_an_index_at_the_front_that_promises_more_than_is_there_is_not_believed() -> None:
    data = (Path(__file__).parents[2] / "deploy" / "local" / "demo" / "clip.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert look(data).duration_s == pytest.approx(6.0, abs=0.05)
    assert 2.0 < look(data[: len(data) // 2]).duration_s < 4.5


def test_a_zip_bomb_in_the_index_ends_by_name() -> None:
    packed = zlib.compress(bytes(8 << 20), 9)
    inner = _box(b"dcom", b"zlib") + _box(b"cmvd", struct.pack(">I", 0xFFFF_FFF0) + packed)
    bomb = _box(b"ftyp", b"qt  \0\0\0\0qt  ") + _box(b"moov", _box(b"cmov", inner))
    assert refusal(bomb) in ("unreadable_media", "decoder_crashed", "no_streams")


def test_metadata_of_megabytes_does_no_harm() -> None:
    data = make(container="mp4", **SMALL)
    assert look(data + _box(b"udta", bytes(20 << 20))).has_video


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content


def test_probing_twice_says_the_same() -> None:
    data = make(**SMALL)
    assert look(data) == look(data)
    assert probe(MemorySource(data), "f" * 64, Limits()).sha256 == "f" * 64
