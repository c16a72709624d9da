"""A verdict ends in an explanation that is ok or failed by name, and never in silence."""

import hashlib
import json
from functools import cache

import numpy as np
import pytest

from services.explain.handler import Explainer
from shared.contracts.jobs import MediaInfo
from shared.contracts.outcomes import InvalidRecord, Transient
from shared.contracts.records import Record
from shared.contracts.results import BundleRef, Evidence, Explained, Series, Verdict
from shared.inference.sources import open_media
from shared.media.limits import Limits
from shared.media.probe import probe
from shared.media.sources import ByteSource
from shared.messaging.handlers import Task
from shared.models.bundle import Bundle, BundlePool, load_bundle
from shared.models.vad import speech_mask
from shared.storage.keys import artifact_key, media_key, uri
from shared.storage.memory import MemoryStore
from tests.support.clip_files import FPS, RATE, write_clip

JOB = "job-1"


@cache
def _bundle() -> Bundle:
    return load_bundle("compact", dtype="float32", threads=1)


@cache
def _clip() -> bytes:
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (2 * FPS, 96, 128, 3), dtype=np.uint8)
    return write_clip(frames, random.normal(0, 0.1, 2 * RATE).astype(np.float32))


class Bytes:
    """A `ByteSource` in memory."""

    def __init__(self, data: bytes) -> None:
        self._data, self.size = data, len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]


@cache
def _info() -> MediaInfo:
    return probe(Bytes(_clip()), hashlib.sha256(_clip()).hexdigest(), Limits())


def _store() -> MemoryStore:
    store = MemoryStore()
    store.put(media_key(JOB), _clip())
    return store


def _explainer(store: MemoryStore) -> Explainer:
    def open_stored(where: str, size: int) -> ByteSource:
        return open_media(store, where, size)

    return Explainer(store, BundlePool(_bundle()), open_stored, speech_mask, Limits())


def _verdict(store: MemoryStore, **changes: object) -> Verdict:
    transforms = ((1.5, 0.0, 0.0, 0.0, 1.5, 0.0),) * 5
    facts: dict[str, object] = {
        "job_id": JOB, "outcome": "analysed", "verdict": "inconclusive", "p_fake": 0.6,
        "windows": 2, "top_k": 3,
        "evidence": tuple(
            Evidence(window_index=i, p_fake=0.6 + i / 10, face=0, transforms=transforms) for i in (1, 0)
        ),
        "series": Series(p_fake=(0.6, 0.7), low=(0.5, 0.6), high=(0.7, 0.8), video=(0.6, 0.7),
                         audio=(0.6, None), speech=(1.0, 0.0), face=(1, 1)),
        "media": _info(), "media_uri": uri(store.bucket, media_key(JOB)),
        "bundle": BundleRef(name="compact", digest=_bundle().manifest.digest),
    }
    return Verdict.model_validate(facts | changes)


def _explain(store: MemoryStore, message: object) -> list[Explained]:
    return list(_explainer(store).handle(Task(Record("t", 0, 0, None, None), message, "")))


def test_pictures_and_report_are_stored_under_the_names_and_digests_that_are_published() -> None:
    store = _store()
    (explained,) = _explain(store, _verdict(store))
    assert explained.status == "ok" and len(explained.anomalous_frames) == 3
    names = {artifact.name for artifact in explained.artifacts}
    assert {"timeline.png", "report.json"} <= names
    assert {name for frame in explained.anomalous_frames for name in (frame.overlay, frame.heatmap)} <= names
    for artifact in explained.artifacts:
        data = store.get(artifact_key(JOB, artifact.name))
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (artifact.sha256, artifact.size)


def test_a_repeat_gives_the_same_message_and_the_same_files() -> None:
    store = _store()
    assert _explain(store, _verdict(store)) == _explain(store, _verdict(store))


def test_frames_carry_their_place_in_time_and_picture() -> None:
    store = _store()
    (explained,) = _explain(store, _verdict(store))
    for frame in explained.anomalous_frames:
        assert frame.timestamp == pytest.approx(frame.frame_id / 5)
        assert frame.box == pytest.approx((0, 0, 149.3, 149.3), abs=0.1)


def test_the_report_repeats_the_verdict_for_machines() -> None:
    store = _store()
    verdict = _verdict(store)
    _explain(store, verdict)
    report = json.loads(store.get(artifact_key(JOB, "report.json")))
    assert report["verdict"]["p_fake"] == verdict.p_fake
    assert "media_uri" not in report["verdict"]


def test_a_failed_verdict_and_one_that_wants_no_explanation_get_none() -> None:
    store = _store()
    assert _explain(store, _verdict(store, outcome="failed", verdict=None)) == []
    assert _explain(store, _verdict(store, top_k=0)) == []


def test_a_bundle_that_is_gone_fails_the_explanation_by_name() -> None:
    store = _store()
    (explained,) = _explain(store, _verdict(store, bundle=BundleRef(name="old", digest="0" * 64)))
    assert explained.status == "failed" and explained.error is not None
    assert explained.error.code == "bundle_unavailable"
    # What needs no model is there all the same.
    assert {artifact.name for artifact in explained.artifacts} == {"timeline.png", "report.json"}


def test_media_that_are_gone_fail_the_explanation_by_name() -> None:
    store = _store()
    store.remove(media_key(JOB))
    (explained,) = _explain(store, _verdict(store))
    assert explained.error is not None and explained.error.code == "artifacts_failed"
    # Media vanish with a deleted job, which must leave nothing behind.
    assert list(store.list("")) == []


def test_media_that_no_longer_decode_cost_the_frames_and_not_the_timeline() -> None:
    store = _store()
    store.put(media_key(JOB), bytes(len(_clip())))
    (explained,) = _explain(store, _verdict(store))
    assert explained.status == "failed" and explained.anomalous_frames == ()
    assert {artifact.name for artifact in explained.artifacts} == {"timeline.png", "report.json"}


def test_an_outage_of_the_store_is_tried_again_later() -> None:
    store = _store()
    verdict = _verdict(store)
    store.outage = "away"
    with pytest.raises(Transient):
        _explain(store, verdict)


def test_what_is_no_verdict_is_refused() -> None:
    store = _store()
    with pytest.raises(InvalidRecord, match="unexpected_type"):
        _explain(store, Explained(job_id=JOB, status="ok"))
