"""The arithmetic of windows and segments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.media.windows import AudioWindow, VideoWindow, count, frame_size, segments


@pytest.mark.parametrize(
    ("duration", "windows"), [(0.0, 1), (0.04, 1), (1.4, 1), (1.5, 2), (2.49, 2), (30.0, 30), (29.97, 30)]
)
def test_a_clip_has_as_many_windows_as_rounded_seconds(duration: float, windows: int) -> None:
    assert count(duration) == windows


@given(st.integers(1, 5000), st.integers(1, 60))
def test_segments_cover_each_window_once_in_order(windows: int, length: int) -> None:
    covered = [index for first, size in segments(windows, length) for index in range(first, first + size)]
    assert covered == list(range(windows))


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_decoded_frames_are_never_larger_than_the_limit_or_the_original(width: int, height: int) -> None:
    new_width, new_height = frame_size(width, height)
    assert 1 <= new_width <= min(width, 1280)
    assert 1 <= new_height <= min(height, 1280)


def test_a_window_outside_its_stream_is_absent_and_a_damaged_one_failed() -> None:
    assert VideoWindow(0, None, "past_end").status == "absent"
    assert AudioWindow(0, None, reason="not_started").status == "absent"
    assert VideoWindow(0, None, "decode_failed").status == "failed"
