"""Pictures show the map where it belongs, and say so in bytes that repeat."""

from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from services.explain import audio_saliency, timeline
from services.explain.pictures import ALPHA, box_of, heatmap, overlay
from services.explain.sounds import anomalies, name_of
from shared.contracts.results import BundleRef, Series, Verdict

DOUBLE = np.array([[2, 0, -100], [0, 2, -60]], np.float32)  # crop pixel (0, 0) is frame pixel (50, 30)


def _pixels(png: bytes) -> NDArray[np.float64]:
    return np.asarray(Image.open(BytesIO(png)), np.float64)


def test_the_overlay_leaves_what_is_outside_the_crop_alone() -> None:
    frame = np.full((200, 300, 3), 128, np.uint8)
    shown = _pixels(overlay(frame, np.ones((224, 224), np.float32), DOUBLE))
    assert (shown[:29] == 128).all() and (shown[:, :49] == 128).all() and (shown[:, 165:] == 128).all()


def test_the_overlay_mixes_colour_and_frame_by_its_alpha() -> None:
    frame, cam = np.full((200, 300, 3), 100, np.uint8), np.ones((224, 224), np.float32)
    colour = _pixels(heatmap(cam))[0, 0]
    shown = _pixels(overlay(frame, cam, DOUBLE))[80, 100]
    assert np.allclose(shown, 100 * (1 - ALPHA) + colour * ALPHA, atol=1)


def test_the_box_is_in_pixels_of_the_original_picture() -> None:
    assert box_of(DOUBLE, 224, scale=1.5) == pytest.approx((75.0, 45.0, 243.0, 213.0))


def _verdict(count: int) -> Verdict:
    column = tuple(None if i % 7 == 6 else (i % 10) / 10 for i in range(count))
    series = Series(p_fake=column, low=column, high=column, video=column, audio=column,
                    speech=(1.0,) * count, face=(1,) * count)
    return Verdict(job_id="j", outcome="analysed", verdict="inconclusive", p_fake=0.5, series=series,
                   bundle=BundleRef(name="b", digest="d"))


@pytest.mark.parametrize("count", [0, 1, 3600])
def test_a_timeline_of_any_length_is_a_picture_and_repeats_byte_for_byte(count: int) -> None:
    first = timeline.draw(_verdict(count))
    assert Image.open(BytesIO(first)).size == (1000, 420)
    assert timeline.draw(_verdict(count)) == first


def test_saliency_points_at_the_tone_that_the_gradient_follows() -> None:
    time = np.arange(16_000) / 16_000
    tone = np.sin(2 * np.pi * 2000 * time).astype(np.float32)
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    _, salient = audio_saliency.saliency(tone + noise, tone)
    strongest = salient.mean(1).argmax()
    assert strongest * 16_000 / audio_saliency.N_FFT == pytest.approx(2000, abs=80)
    assert salient.min() >= 0 and salient.max() == 1


def test_suspect_windows_side_by_side_are_one_stretch() -> None:
    audio = (0.2, 0.6, 0.9, None, 0.5, 0.1)
    found = anomalies(audio, 6.0, {2: b"png"})
    assert [(a.start_s, a.end_s, a.confidence) for a in found] == [(1.0, 3.0, 0.9), (4.0, 5.0, 0.5)]
    assert [a.saliency for a in found] == [name_of(2), None]


def test_a_stretch_ends_with_the_clip() -> None:
    assert anomalies((0.9, 0.9), 1.6, {})[0].end_s == 1.6
