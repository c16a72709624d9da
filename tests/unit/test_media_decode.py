"""The same moments give the same windows, however the file says them."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.contracts.outcomes import BadMedia, Transient
from shared.media.decode import decode
from shared.media.limits import Limits
from shared.media.sources import MemorySource
from shared.media.windows import AudioWindow, VideoWindow
from tests.support.media_maker import make, number_of
from tests.support.media_reading import look, numbers, pitches, read

PLAIN = [[0, 6, 12, 18, 24], [30, 36, 42, 48, 54], [60, 66, 72, 78, 84]]
Samples = NDArray[np.float32]
SILENT: dict[str, Any] = {"audio": None}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"b_frames": 2},
        {"gop": 300},
        {"container": "matroska"},
        {"container": "mpegts", **SILENT},
        {"container": "mpeg", "video": "mpeg2video", **SILENT},
        {"container": "avi", "video": "mpeg4", **SILENT},
        {"container": "matroska", "video": "libvpx-vp9"},
        {"options": (("movflags", "frag_keyframe+empty_moov"),), **SILENT},
        {"video_start": 100.0, **SILENT},
        {"video_start": 7.3, "audio_start": 7.3, "container": "mov", "audio": "pcm_s16le"},
        {"times": lambda n: n / 30 if n % 6 == 0 else None},
        {"times": lambda n: n / 30 if n % 3 == 0 or n > 60 else None, "container": "matroska"},
        {"size": (162, 98)},
    ],
    ids=str,
)
def test_however_it_is_stored_the_same_frames_are_on_display(changes: dict[str, Any]) -> None:
    assert numbers(read(make(**changes))[0]) == PLAIN


@pytest.mark.parametrize(
    "changes",
    [
        {"rate": 8000}, {"rate": 16_000}, {"rate": 48_000}, {"rate": 96_000, "audio": "flac"},
        {"layout": "stereo"}, {"layout": "5.1", "rate": 48_000}, {"layout": "7.1", "rate": 48_000},
        {"container": "mov", "audio": "pcm_s16le", "rate": 96_000, "layout": "7.1"},
        {"container": "wav", "audio": "pcm_s16le"}, {"container": "flac", "audio": "flac"},
        {"container": "mp3", "audio": "libmp3lame"},
        {"container": "ogg", "audio": "libopus", "rate": 48_000},
    ],
    ids=str,
)  # fmt: skip
def test_whatever_rate_and_layout_each_second_has_its_tone_at_full_scale(changes: dict[str, Any]) -> None:
    windows = read(make(video=None, **changes))[1]
    assert pitches(windows) == [300, 400, 500]
    for window in windows:
        assert window.samples is not None
        assert window.samples.dtype == np.float32
        assert window.valid >= 15_900
        assert np.sqrt(np.mean(window.samples**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.5)


@pytest.mark.parametrize(("rotation", "turns"), [(0, 0), (90, 1), (180, 2), (270, 3)])
def test_rotated_pictures_come_upright(rotation: int, turns: int) -> None:
    (window, *_), _ = read(make(rotation=rotation, **SILENT))
    assert window.frames is not None
    upright = [np.rot90(frame, -turns) for frame in window.frames]
    assert [number_of(frame) for frame in upright] == PLAIN[0]
    assert upright[0].shape == (96, 160, 3)
    assert upright[0][10, 150, 0] > 150 > upright[0][10, 150, 2]  # red is up right


def test_a_large_picture_is_scaled_so_that_its_longer_side_is_1280() -> None:
    (window, *_), _ = read(make(size=(1920, 1080), fps=5, seconds=1.0, **SILENT))
    assert window.frames is not None
    assert window.frames.shape == (5, 720, 1280, 3)


def test_a_picture_that_starts_late_is_absent_first_and_then_on_the_common_clock() -> None:
    pictures, sounds = read(make(video_start=1.2, container="mov", audio="pcm_s16le"))
    assert numbers(pictures) == ["not_started", [0, 0, 6, 12, 18], [24, 30, 36, 42, 48], [54, 60, 66, 72, 78]]
    assert pitches(sounds) == [300, 400, 500, "past_end"]


def test_sound_that_starts_late_is_absent_first_then_silence_then_sound() -> None:
    pictures, sounds = read(make(audio_start=1.5, container="matroska", audio="pcm_s16le"))
    assert sounds[0].reason == "not_started"
    assert sounds[1].samples is not None and sounds[2].samples is not None
    assert not sounds[1].samples[:7900].any()
    assert abs(sounds[1].samples[8100:]).max() > 0.2
    assert numbers(pictures)[:3] == PLAIN
    assert pictures[3].reason == "past_end"


def test_the_last_window_says_how_much_of_it_is_sound() -> None:
    windows = read(make(video=None, seconds=2.6, container="wav", audio="pcm_s16le"))[1]
    assert [window.valid for window in windows] == pytest.approx([16_000, 16_000, 9_600], abs=2)


@pytest.mark.parametrize(
    "changes",
    [
        {}, {"b_frames": 3, "gop": 90}, {"container": "matroska"}, {"container": "mpegts"},
        {"container": "avi", "video": "mpeg4", "audio": "libmp3lame"},
        {"container": "mpeg", "video": "mpeg2video", "audio": "mp2"},
        {"options": (("movflags", "frag_keyframe+empty_moov"),)},
        {"container": "webm", "video": "libvpx-vp9", "audio": "libopus", "rate": 48_000, "fps": 10},
        {"container": "ogg", "video": None, "audio": "libopus", "rate": 48_000},
        {"container": "mp3", "video": None, "audio": "libmp3lame"},
    ],
    ids=str,
)  # fmt: skip
def test_a_segment_has_the_same_windows_as_the_whole(changes: dict[str, Any]) -> None:
    data = make(**{"seconds": 8.0, "gop": 45, **changes})
    info = look(data)
    whole, heard = read(data, info)
    part, part_heard = read(data, info, 5, 2)
    for one, other in zip(whole[5:7], part, strict=True):
        assert one.frames is not None and other.frames is not None
        assert np.array_equal(one.frames, other.frames)
    for sound, again in zip(heard[5:7], part_heard, strict=True):
        assert sound.samples is not None and again.samples is not None
        assert _difference(sound.samples, again.samples) < 0.05
    assert pitches(part_heard) == [800, 900]


def _difference(one: Samples, other: Samples) -> float:
    """Mean difference at the best shift within a millisecond: Matroska's clock is no finer."""
    shifts = range(-16, 17)
    return min(float(np.abs(one[16:-16] - np.roll(other, shift)[16:-16]).mean()) for shift in shifts)


class _Counting(MemorySource):
    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.fetched = 0

    def read_at(self, offset: int, length: int) -> bytes:
        self.fetched += length
        return super().read_at(offset, length)


def test_with_an_index_only_the_segment_is_read() -> None:
    data = make(seconds=60.0, fps=5, gop=5, container="mov", audio="pcm_s16le", rate=48_000, layout="stereo")
    info, source = look(data), _Counting(data)
    assert info.indexed
    assert numbers(read(source, info, 50, 1)[0]) == [[250, 251, 252, 253, 254]]
    assert source.fetched < len(data) / 4


def test_windows_come_before_the_whole_is_read() -> None:
    data = make(seconds=20.0, fps=5, gop=5, container="mov", audio="pcm_s16le", rate=48_000, layout="stereo")
    info, source = look(data), _Counting(data)
    windows = decode(source, info, 0, 20, ["video", "audio"], Limits())
    first = next(windows)
    assert first.index == 0
    windows.close()
    assert source.fetched < len(data) * 0.8


def test_frames_whose_time_goes_back_are_never_on_display() -> None:
    twice = make(container="mpegts", **SILENT) * 2  # the second half starts again at zero
    first, second, third = numbers(read(twice)[0])
    assert [first, second] == PLAIN[:2]
    assert third in (PLAIN[2], "decode_failed")  # the seam is damage, and damage reaches back a little
    assert pitches(read(make(container="mpegts", video=None) * 2)[1]) == [300, 400, 500]


def _without_bytes(data: bytes, begin: float, end: float) -> bytes:
    low, high = int(len(data) * begin), int(len(data) * end)
    return data[:low] + bytes(high - low) + data[high:]


@pytest.mark.parametrize(("begin", "end"), [(0.4, 0.45), (0.6, 0.61)])
def test_a_damaged_part_fails_by_name_and_the_rest_is_right(begin: float, end: float) -> None:
    clean = make(seconds=8.0, gop=15, container="matroska", **SILENT)
    windows = read(_without_bytes(clean, begin, end), look(clean))[0]
    reasons = [window.reason for window in windows]
    assert "decode_failed" in reasons
    assert reasons.count("") >= 4
    truth = numbers(read(clean)[0])
    for seen, expected in zip(numbers(windows), truth, strict=True):
        assert seen in (expected, "decode_failed")


class _Away(MemorySource):
    def read_at(self, offset: int, length: int) -> bytes:
        if offset:
            raise Transient("the store is away")
        return super().read_at(offset, length)


def test_a_store_that_is_away_is_transient() -> None:
    data = make(seconds=20.0, fps=5, gop=5, container="mov", audio="pcm_s16le", rate=48_000, layout="stereo")
    info = look(data)
    with pytest.raises(Transient, match="the store is away"):
        list(decode(_Away(data), info, 0, 20, ["audio"], Limits()))


def test_too_many_frames_and_too_little_time_have_a_name() -> None:
    data = make(**SILENT)
    info = look(data)
    for limits in (Limits(max_frames=10), Limits(decode_s=1e-4)):
        with pytest.raises(BadMedia) as caught:
            list(decode(MemorySource(data), info, 0, 3, ["video"], limits))
        assert caught.value.code == "decoder_timeout"


def test_one_modality_may_be_asked_for_alone() -> None:
    data = make()
    info = look(data)
    pictures = list(decode(MemorySource(data), info, 0, 3, ["video"], Limits()))
    sounds = list(decode(MemorySource(data), info, 0, 3, ["audio"], Limits()))
    assert all(isinstance(window, VideoWindow) for window in pictures)
    assert all(isinstance(window, AudioWindow) for window in sounds)
    assert len(pictures) == len(sounds) == 3
