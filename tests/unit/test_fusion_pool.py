"""The judge with a real bundle."""

import pytest

from services.fusion.judge import Judge
from services.fusion.pool import PoolJudge
from services.fusion.scoring import Joined, score
from services.fusion.verdict import build
from shared.contracts.results import Series
from shared.models.bundle import BundlePool, load_bundle
from shared.models.manifest import read_manifest
from tests.support.fusion_fakes import MODALITIES, embedding, plan


@pytest.fixture(scope="module")
def judge() -> PoolJudge:
    return PoolJudge(BundlePool(load_bundle("compact", device="cpu", threads=1, parts=("scorer",))))


@pytest.fixture
def digest() -> str:
    return read_manifest("compact").digest


def test_the_compact_bundle_scores_a_job_and_says_that_it_was_never_measured(
    judge: PoolJudge, digest: str
) -> None:
    joined = [
        Joined(w, MODALITIES, embedding("job", w, "video"), embedding("job", w, "audio", tokens=49))
        for w in range(3)
    ]
    found = build("job", plan("job", 3, digest=digest), score(judge, digest, joined), judge)
    assert found.outcome == "analysed"
    assert found.p_fake is not None
    assert found.bundle.digest == digest
    if found.bundle.measured is None:
        assert found.verdict == "inconclusive"


def test_a_window_scores_the_same_alone_and_in_a_batch(judge: PoolJudge, digest: str) -> None:
    joined = [
        Joined(w, MODALITIES, embedding("job", w, "video", faces=1 + w % 3), embedding("job", w, "audio"))
        for w in range(8)
    ]
    alone = [score(judge, digest, [window])[0] for window in joined]
    assert score(judge, digest, joined) == alone


def test_a_bundle_that_is_not_loaded_is_not_known(judge: Judge) -> None:
    assert not judge.knows("e" * 64)
    assert judge.conclude("e" * 64, Series(), 1.0, ()) is None
