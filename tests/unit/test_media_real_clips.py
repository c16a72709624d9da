"""Real clips, where a folder of them is named by VERACITY_MEDIA."""

import os
from pathlib import Path

import pytest

from shared.media.faces import track_faces
from tests.support.media_reading import read

FOLDER = os.environ.get("VERACITY_MEDIA", "")


@pytest.mark.media
@pytest.mark.skipif(not FOLDER, reason="VERACITY_MEDIA names no media folder")
def test_sound_clips_have_no_window_that_fails_and_most_show_a_face() -> None:
    clips = sorted(Path(FOLDER).glob("video/*/*.mp*"))[::8]
    assert clips
    with_face = 0
    for clip in clips:
        pictures, sounds = read(clip.read_bytes(), size=2)
        assert "decode_failed" not in {w.reason for w in pictures} | {w.reason for w in sounds}
        with_face += any(window.faces for window in track_faces(pictures))
    assert with_face >= 0.9 * len(clips)
