"""The shipped bundle through the detector: what services rely on."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from shared.contracts.results import Series
from shared.models.bundle import Bundle
from shared.models.detector import Detector
from shared.models.windows import WindowInput, WindowOutput
from tests.support.model_bundles import compact, faces, some_orders, sounds

FULL = np.full(6, 16_000)
LENGTHS = np.array([16_000, 16_000, 9_000, 16_000, 700, 9_000])


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def detector(request: pytest.FixtureRequest) -> Iterator[Detector]:
    yield compact(request.param).detector


def windows(detector: Detector, count: int = 6) -> list[WindowInput]:
    video = detector.encode_video(faces(count))
    audio = detector.encode_audio(sounds(count), FULL[:count])
    return [
        WindowInput(video=video[: 1 + i % 3], audio=audio[i] if i % 2 else None) for i in range(count)
    ]


def test_edges_have_the_contracts_shapes(detector: Detector) -> None:
    video, audio = detector.encode_video(faces(2)), detector.encode_audio(sounds(2), FULL[:2])
    assert video.shape == (2, 2048)
    assert audio.shape == (2, detector.audio_tokens, 512)
    assert video.dtype == audio.dtype == np.float16
    assert detector.encode_video(faces(0)).shape == (0, 2048)
    assert detector.encode_audio(sounds(0), FULL[:0]).shape == (0, detector.audio_tokens, 512)


def test_a_picture_gives_the_same_bits_whatever_is_beside_it(detector: Detector) -> None:
    crops = faces(4)
    alone = np.concatenate([detector.encode_video(one[None]) for one in crops])
    for order in some_orders(4):
        assert np.array_equal(detector.encode_video(crops[order]), alone[order])


def test_a_sound_gives_the_same_bits_whatever_is_beside_it(detector: Detector) -> None:
    samples = sounds(6)
    alone = np.concatenate([detector.encode_audio(samples[i : i + 1], LENGTHS[i : i + 1]) for i in range(6)])
    for order in some_orders(6):
        assert np.array_equal(detector.encode_audio(samples[order], LENGTHS[order]), alone[order])


def test_a_window_gives_the_same_score_whatever_is_beside_it(detector: Detector) -> None:
    given = windows(detector)
    alone = [detector.score([window])[0] for window in given]
    for order in some_orders(6):
        for index, output in zip(order, detector.score([given[i] for i in order]), strict=True):
            assert replace(output, attention=None) == replace(alone[index], attention=None)


def test_scores_are_probabilities_inside_their_intervals(detector: Detector) -> None:
    for output in detector.score(windows(detector)):
        assert output.p_fake is not None
        assert output.interval is not None
        assert 0 <= output.interval[0] <= output.p_fake <= output.interval[1] <= 1


def test_the_face_with_the_highest_score_speaks_for_the_window(detector: Detector) -> None:
    video = detector.encode_video(faces(3))
    apart = [detector.score([WindowInput(video=one[None])])[0] for one in video]
    together = detector.score([WindowInput(video=video)])[0]
    best = max(range(3), key=lambda i: apart[i].p_fake or 0)
    assert together == replace(apart[best], face_index=best)


def test_agreement_follows_both_modalities(detector: Detector) -> None:
    output = detector.score([windows(detector)[1]])[0]
    assert output.video is not None
    assert output.audio is not None
    expected = max(min(output.video, output.audio), min(1 - output.video, 1 - output.audio))
    assert output.agreement == pytest.approx(expected)


def test_one_modality_alone_still_gets_a_score(detector: Detector) -> None:
    blind, deaf = detector.score([
        WindowInput(audio=detector.encode_audio(sounds(1), FULL[:1])[0]),
        WindowInput(video=detector.encode_video(faces(1))),
    ])
    assert blind.p_fake is not None
    assert deaf.p_fake is not None
    assert (blind.video, blind.face_index, blind.agreement, blind.attention) == (None, None, None, None)
    assert (deaf.audio, deaf.face_index, deaf.agreement, deaf.attention) == (None, 0, None, None)


def test_attention_is_given_where_both_are_there(detector: Detector) -> None:
    attention = detector.score([windows(detector)[1]])[0].attention
    assert attention is not None
    assert attention.shape == (4, 1, detector.audio_tokens)


def test_silence_counts_as_absent_and_decides_nothing(detector: Detector) -> None:
    video = detector.encode_video(faces(1))
    tokens = detector.encode_audio(sounds(1), FULL[:1])[0]
    silence = np.zeros(len(tokens), np.uint8)
    without = detector.score([WindowInput(video=video)])[0]
    assert detector.score([WindowInput(video=video, audio=tokens, mask=silence)])[0] == without
    assert detector.score([WindowInput(audio=tokens, mask=silence)])[0] == WindowOutput()


def test_a_window_with_nothing_has_no_score(detector: Detector) -> None:
    empty = WindowInput(video=np.zeros((0, 2048), np.float16))
    assert detector.score([WindowInput(), empty]) == [WindowOutput(), WindowOutput()]


def test_a_modality_without_weight_is_shown_but_does_not_decide() -> None:
    bundle = compact()
    given = windows(bundle.detector)[1]
    plain = bundle.detector.score([replace(given, video=None)])[0]
    bundle = Bundle(bundle.manifest.model_copy(update={"modality_weights": {"video": 0.0}}), bundle.detector)
    detector = _with_manifest(bundle)
    weightless = detector.score([given])[0]
    assert weightless.p_fake == plain.p_fake
    assert weightless.video is not None
    assert detector.score([WindowInput(video=given.video)])[0].p_fake is None


def _with_manifest(bundle: Bundle) -> Detector:
    changed = Detector.__new__(Detector)
    changed.__dict__.update(bundle.detector.__dict__, manifest=bundle.manifest)
    return changed


def test_the_clip_is_aggregated_by_the_bundles_calibration(detector: Detector) -> None:
    p, interval = detector.aggregate(Series(p_fake=(0.2, 0.8), low=(0.1, 0.7), high=(0.3, 0.9)), 2.0)
    assert p == pytest.approx(0.8)
    assert interval == pytest.approx((0.7, 0.9))


def test_the_runtime_is_recorded() -> None:
    assert compact("float32").detector.runtime == f"cpu/float32/{torch.get_num_threads()}"
    assert compact("bfloat16").detector.runtime == f"cpu/bfloat16/{torch.get_num_threads()}"


def test_the_thread_count_holds_in_every_thread_of_the_process() -> None:
    code = (
        "import os, threading, numpy as np\n"
        "from shared.models.bundle import load_bundle\n"
        "detector = load_bundle('compact', device='cpu', threads=1).detector\n"
        "found = []\n"
        "def work():\n"
        "    before = set(os.listdir('/proc/self/task'))\n"
        "    detector.encode_video(np.zeros((1, 5, 224, 224, 3), np.uint8))\n"
        "    found.extend(set(os.listdir('/proc/self/task')) - before)\n"
        "worker = threading.Thread(target=work)\n"
        "worker.start()\nworker.join()\n"
        "assert detector.runtime == 'cpu/' + detector.runtime.split('/')[1] + '/1'\n"
        "assert found == [], found\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own code
