"""What a verdict says of its windows."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.fusion import verdict
from services.fusion.entries import Pending, ScoredWindow, read_entry
from services.fusion.scoring import Joined, check, joined, score, to_event
from shared.contracts.base import Degradation, Modality
from shared.contracts.embeddings import Embedding
from shared.contracts.outcomes import InvalidRecord
from shared.contracts.results import Verdict
from tests.support.fusion_fakes import DIGEST, MODALITIES, FakeJudge, embedding, plan

Records = Sequence[Embedding]


def scored(
    records: Records, windows: int, modalities: tuple[Modality, ...] = MODALITIES
) -> list[ScoredWindow]:
    found = {(r.window_index, r.modality): r for r in records}
    together = [
        Joined(w, modalities, found.get((w, "video")), found.get((w, "audio"))) for w in range(windows)
    ]
    return score(FakeJudge(), DIGEST, together)


def conclude(records: Records, windows: int, modalities: tuple[Modality, ...] = MODALITIES) -> Verdict:
    windows_out = scored(records, windows, modalities)
    return verdict.build("job", plan("job", windows, modalities), windows_out, FakeJudge())


def every(windows: int, modality: Modality, status: str = "ok", reason: str = "") -> list[Embedding]:
    return [embedding("job", w, modality, status, reason) for w in range(windows)]  # type: ignore[arg-type]


def test_columns_have_a_value_for_every_window() -> None:
    found = conclude([*every(4, "video"), *every(4, "audio")], 4)
    columns = found.series.model_dump()
    assert {name: len(values) for name, values in columns.items()} == dict.fromkeys(columns, 4)
    assert found.series.speech == (0.5,) * 4
    assert found.modalities["video"].windows_used == 4
    assert found.runtime == {"audio": "cpu/audio", "fusion": "fake/1", "video": "cpu/video"}


def test_numbers_have_four_decimals() -> None:
    found = conclude([*every(3, "video"), *every(3, "audio")], 3)
    body = found.model_dump(exclude={"media"})

    def numbers(value: object) -> list[float]:
        if isinstance(value, dict):
            return [n for v in value.values() for n in numbers(v)]
        if isinstance(value, list | tuple):
            return [n for v in value for n in numbers(v)]
        return [value] if isinstance(value, float) else []

    assert numbers(body)
    assert all(n == round(n, 4) for n in numbers(body))


def test_failed_windows_are_degraded_even_where_others_are_good() -> None:
    video = [*every(2, "video"), embedding("job", 2, "video", "failed", "decode_failed")]
    assert conclude([*video, *every(3, "audio")], 3).degraded == (
        Degradation(modality="video", reason="decode_failed", windows=1),
    )


def test_windows_without_a_face_are_no_degradation_while_others_have_one() -> None:
    video = [*every(2, "video"), embedding("job", 2, "video", "absent", "no_face")]
    assert conclude([*video, *every(3, "audio")], 3).degraded == ()


def test_a_clip_without_any_face_is_degraded_and_judged_by_its_sound() -> None:
    found = conclude([*every(3, "video", "absent", "no_face"), *every(3, "audio")], 3)
    assert found.outcome == "analysed"
    assert found.degraded == (Degradation(modality="video", reason="no_face", windows=3),)
    assert found.modalities["video"].p_fake is None
    assert found.agreement is None
    assert [e.transforms for e in found.evidence] == [()] * 3


def test_the_plans_degradations_come_first() -> None:
    silent = Degradation(modality="audio", reason="no_audio_stream")
    job = plan("job", 1, ("video",), degraded=(silent,))
    found = verdict.build("job", job, scored(every(1, "video"), 1, ("video",)), FakeJudge())
    assert found.degraded == (silent,)
    assert set(found.modalities) == {"video"}


FACELESS = every(2, "video", "absent", "no_face")
CRASHED = every(2, "video", "failed", "decoder_crashed")
SPEECHLESS = every(2, "audio", "absent", "no_speech")


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([*FACELESS, *SPEECHLESS], "nothing_to_analyse"),
        ([*CRASHED, *SPEECHLESS], "decoder_crashed"),
        ([FACELESS[0], *SPEECHLESS], "deadline_passed"),
    ],
)
def test_where_nothing_can_be_scored_the_job_fails_by_name(records: Records, code: str) -> None:
    found = conclude(records, 2)
    assert (found.outcome, found.verdict, found.p_fake) == ("failed", None, None)
    assert found.error is not None
    assert found.error.code == code


def test_evidence_is_the_highest_windows_with_a_face_and_the_transforms_of_that_face() -> None:
    video = [embedding("job", 0, "video", "absent", "no_face"), *every(6, "video")[1:]]
    two_faces = embedding("job", 3, "video", faces=2)
    video[3] = two_faces
    found = conclude([*video, *every(6, "audio")], 6)
    scores = {e.window_index: e.p_fake for e in found.evidence}
    expected = sorted(range(1, 6), key=lambda w: -(found.series.p_fake[w] or 0))[:3]
    assert list(scores) == expected
    window = scored([two_faces], 4)[3]
    assert window.face == 1
    flat = np.asarray(window.transforms).reshape(5, 2, 3)
    assert np.allclose(flat, two_faces.tensors["transforms"][1], atol=1e-4)


def test_no_evidence_where_the_submitter_wants_no_explanation() -> None:
    job = plan("job", 1)
    job = job.model_copy(update={"options": job.options.model_copy(update={"explain": False})})
    found = verdict.build("job", job, scored([*every(1, "video"), *every(1, "audio")], 1), FakeJudge())
    assert (found.top_k, found.evidence) == (0, ())


def test_entries_survive_their_bytes() -> None:
    assert read_entry(Pending(b"v", None).to_bytes()) == Pending(b"v", None)
    assert read_entry(Pending(None, b"a").to_bytes()) == Pending(None, b"a")
    assert read_entry(Pending(b"v", b"a").to_bytes()) == Pending(b"v", b"a")
    (window,) = scored([*every(1, "video"), *every(1, "audio")], 1)
    assert read_entry(window.to_bytes()) == window


@given(st.integers(2, 6), st.data())
def test_a_windows_score_does_not_depend_on_its_company(windows: int, data: st.DataObject) -> None:
    records = [*every(windows, "video"), *every(windows, "audio")]
    together = scored(records, windows)
    one = data.draw(st.integers(0, windows - 1))
    alone = score(FakeJudge(), DIGEST, [Joined(one, MODALITIES, records[one], records[windows + one])])
    assert alone == [together[one]]


def test_only_planned_modalities_are_joined() -> None:
    halves = Pending(embedding("job", 0, "video").to_bytes(), embedding("job", 0, "audio").to_bytes())
    found = joined(halves, 0, ("audio",))
    assert (found.video, found.audio is not None) == (None, True)


def test_a_window_score_names_what_it_lacks() -> None:
    (window,) = scored([*every(1, "video", "absent", "no_face"), *every(1, "audio")], 1)
    assert to_event("job", window, DIGEST).degraded == (Degradation(modality="video", reason="no_face"),)


def broken(change: Callable[[Embedding], None], modality: Modality) -> Embedding:
    found = embedding("job", 0, modality)
    change(found)
    return found


def put(name: str, value: NDArray[Any]) -> Callable[[Embedding], None]:
    return lambda e: e.tensors.__setitem__(name, value)


@pytest.mark.parametrize(
    "record",
    [
        broken(put("embedding", np.zeros((1, 7), np.float16)), "video"),
        broken(put("embedding", np.zeros((0, 2048), np.float16)), "video"),
        broken(put("embedding", np.full((1, 2048), np.nan, np.float16)), "video"),
        broken(put("transforms", np.zeros((2, 5, 2, 3), np.float32)), "video"),
        broken(put("tokens", np.zeros((3, 512, 1), np.float16)), "audio"),
        broken(put("mask", np.zeros(3, np.uint8)), "audio"),
    ],
)
def test_tensors_that_the_model_would_choke_on_are_refused(record: Embedding) -> None:
    with pytest.raises(InvalidRecord, match="malformed"):
        check(record)
