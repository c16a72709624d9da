"""Faces in the demo clip, which shows one speaker."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from shared.media.align import transform_to_crop
from shared.media.faces import FaceWindow, crop_again, track_faces
from shared.media.windows import VideoWindow
from tests.support.media_reading import read

CLIP = Path(__file__).parents[2] / "deploy" / "local" / "demo" / "clip.mp4"
Frames = NDArray[np.uint8]


@pytest.fixture(scope="module")
def windows() -> list[VideoWindow]:
    return read(CLIP.read_bytes(), size=3)[0]


def _equal(one: FaceWindow, other: FaceWindow) -> bool:
    pairs = list(zip(one.faces, other.faces, strict=True))
    return one.index == other.index and all(
        a.track == b.track and np.array_equal(a.crops, b.crops) and np.array_equal(a.transforms, b.transforms)
        for a, b in pairs
    )


def test_the_speaker_is_found_in_every_window_as_one_person(windows: list[VideoWindow]) -> None:
    found = list(track_faces(windows))
    assert [len(window.faces) for window in found] == [1, 1, 1]
    assert {window.faces[0].track for window in found} == {0}
    face = found[0].faces[0]
    assert face.crops.shape == (5, 224, 224, 3) and face.crops.dtype == np.uint8
    assert face.transforms.shape == (5, 2, 3) and face.transforms.dtype == np.float32
    assert face.boxes.shape == (5, 4) and face.boxes.dtype == np.float32


def test_eyes_are_where_the_template_says(windows: list[VideoWindow]) -> None:
    """Sought again in the crop, the face is where every crop has it."""
    from shared.media.mtcnn import cascade

    for window in track_faces(windows):
        seen = cascade().detect(window.faces[0].crops[2], 60)
        assert seen
        left, right = seen[0].landmarks[0], seen[0].landmarks[1]
        assert np.abs(left - np.array([0.36, 0.41]) * 224).max() < 14
        assert np.abs(right - np.array([0.64, 0.41]) * 224).max() < 14


def test_the_result_follows_from_the_segment_alone(windows: list[VideoWindow]) -> None:
    first, second = list(track_faces(windows)), list(track_faces(iter(windows)))
    assert all(_equal(a, b) for a, b in zip(first, second, strict=True))
    early = next(track_faces(windows[:1]))
    assert _equal(early, first[0])


def test_crops_can_be_made_again_from_frames_and_transforms(windows: list[VideoWindow]) -> None:
    for window, found in zip(windows, track_faces(windows), strict=True):
        assert window.frames is not None
        face = found.faces[0]
        assert np.array_equal(crop_again(window.frames, face.transforms), face.crops)


def test_a_window_without_a_face_says_so() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (5, 120, 160, 3), np.uint8)
    tiny = np.zeros((5, 1, 1, 3), np.uint8)
    found = list(track_faces([VideoWindow(0, noise), VideoWindow(1, tiny), VideoWindow(2, None, "past_end")]))
    assert [(window.index, window.faces, window.reason) for window in found] == [
        (0, (), "no_face"),
        (1, (), "no_face"),
        (2, (), "past_end"),
    ]


def test_the_largest_lasting_face_comes_first(windows: list[VideoWindow]) -> None:
    frames = windows[0].frames
    assert frames is not None
    both = np.stack([_beside(frame) for frame in frames])
    (found,) = track_faces([VideoWindow(0, both)])
    assert len(found.faces) == 2
    areas = [float(np.prod(face.boxes[0, 2:] - face.boxes[0, :2])) for face in found.faces]
    assert areas[0] > areas[1]


def _beside(frame: Frames) -> Frames:
    height, width = frame.shape[:2]
    small = np.zeros_like(frame)
    small[: height // 2, : width // 2] = cv2.resize(frame, (width // 2, height // 2))
    return np.concatenate([small, frame], axis=1)


def test_a_face_survives_a_lost_window(windows: list[VideoWindow]) -> None:
    found = list(track_faces([windows[0], VideoWindow(1, None, "decode_failed"), windows[2]]))
    assert [window.reason for window in found] == ["", "decode_failed", ""]
    assert found[2].faces[0].track == 0


def test_landmarks_in_one_point_give_no_transform() -> None:
    assert transform_to_crop(np.ones((5, 2), np.float32)) is None
