from pathlib import Path

import numpy as np
import pytest

from deploy.local.demo import twins
from deploy.local.demo.__main__ import CLIP
from shared.media.encode import FPS, RATE, read_clip, write_clip


def test_sound_comes_later_and_keeps_its_length() -> None:
    samples = np.ones(2 * RATE, np.float32)
    late = twins.shifted(samples)
    silent = int(twins.SHIFT_S * RATE)
    assert len(late) == len(samples)
    assert not late[:silent].any()
    assert late[silent:].all()


def test_blending_alters_the_face_and_nothing_else() -> None:
    frames = read_clip(CLIP)[0][:2]
    x0, y0, x1, y1 = twins.face_boxes(frames)[0].astype(int)
    changed = (twins.blended(frames)[0] != frames[0]).any(axis=2)
    assert changed[y0:y1, x0:x1].mean() > 0.5
    changed[y0 - 20 : y1 + 20, x0 - 20 : x1 + 20] = False
    assert not changed.any()


def test_clip_without_a_face_has_no_blended_twin() -> None:
    with pytest.raises(ValueError, match="no face"):
        twins.face_boxes(np.full((3, 96, 96, 3), 120, np.uint8))


def test_twins_are_made_once(tmp_path: Path) -> None:
    frames, samples = read_clip(CLIP)
    short = tmp_path / "short.mp4"
    short.write_bytes(write_clip(frames[:FPS], samples[:RATE]))
    made = twins.make(short, tmp_path / "twins")
    before = [path.stat().st_mtime_ns for path in made]
    assert {path.read_bytes() for path in made}.isdisjoint({short.read_bytes()})
    assert [path.stat().st_mtime_ns for path in twins.make(short, tmp_path / "twins")] == before
