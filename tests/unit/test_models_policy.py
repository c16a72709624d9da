import pytest

from shared.contracts.base import Modality
from shared.contracts.results import Interval
from shared.models.manifest import read_manifest
from shared.models.policy import decide
from shared.models.schema import BundleManifest, Measured, MeasuredBin

SHORT = MeasuredBin(
    from_s=2, to_s=10, fake_at=0.8, real_at=0.2, fpr=0.03, fnr=0.04, real_clips=200, fake_clips=300
)
LONG = MeasuredBin(
    from_s=10, to_s=None, fake_at=0.6, real_at=0.1, fpr=0.08, fnr=0.09, real_clips=50, fake_clips=50
)


def measured(*bins: MeasuredBin, modalities: tuple[tuple[Modality, ...], ...] = ()) -> BundleManifest:
    found = Measured(data="left-out clips", bins=bins, modalities=modalities)
    return read_manifest("compact").model_copy(update={"measured": found})


@pytest.mark.parametrize("p_fake", [0.0, 0.5, 1.0])
def test_a_bundle_without_measured_error_rates_never_decides(p_fake: float) -> None:
    verdict, reason = decide(p_fake, (p_fake, p_fake), 5.0, read_manifest("compact"))
    assert verdict == "inconclusive"
    assert "never measured" in reason


@pytest.mark.parametrize(
    ("p_fake", "verdict"),
    [(0.8, "fake"), (0.95, "fake"), (0.79, "inconclusive"), (0.5, "inconclusive"), (0.21, "inconclusive"),
     (0.2, "real"), (0.01, "real")],
)
def test_the_thresholds_of_the_clips_duration_decide(p_fake: float, verdict: str) -> None:
    assert decide(p_fake, (p_fake, p_fake), 5.0, measured(SHORT, LONG))[0] == verdict


@pytest.mark.parametrize("duration_s", [0.5, 1.99, 10.0, 3600.0])
def test_outside_the_measured_durations_nothing_is_decided(duration_s: float) -> None:
    verdict, reason = decide(0.99, (0.99, 0.99), duration_s, measured(SHORT))
    assert verdict == "inconclusive"
    assert f"{duration_s:.1f} s" in reason


@pytest.mark.parametrize("p_fake", [0.99, 0.01])
def test_error_rates_above_the_policys_decide_nothing(p_fake: float) -> None:
    verdict, reason = decide(p_fake, (p_fake, p_fake), 60.0, measured(SHORT, LONG))
    assert verdict == "inconclusive"
    assert "allowed are 5.0%" in reason


@pytest.mark.parametrize(("p_fake", "interval"), [(0.85, (0.1, 0.9)), (0.15, (0.1, 0.9))])
def test_an_interval_from_fake_to_real_decides_nothing(p_fake: float, interval: Interval) -> None:
    verdict, reason = decide(p_fake, interval, 5.0, measured(SHORT))
    assert verdict == "inconclusive"
    assert "interval" in reason


def test_a_clip_without_any_score_is_inconclusive() -> None:
    assert decide(None, None, 5.0, measured(SHORT))[0] == "inconclusive"


def test_modalities_that_were_never_measured_alone_decide_nothing() -> None:
    manifest = measured(SHORT, modalities=(("video", "audio"), ("audio",)))
    assert decide(0.9, (0.9, 0.9), 5.0, manifest, ("audio",))[0] == "fake"
    assert decide(0.9, (0.9, 0.9), 5.0, manifest, ("audio", "video"))[0] == "fake"
    verdict, reason = decide(0.9, (0.9, 0.9), 5.0, manifest, ("video",))
    assert verdict == "inconclusive"
    assert "picture" in reason


def test_the_reason_gives_the_measured_rate_and_how_many_clips() -> None:
    assert "3.0% of 200 real clips" in decide(0.9, (0.9, 0.9), 5.0, measured(SHORT))[1]
    assert "4.0% of 300 fake clips" in decide(0.1, (0.1, 0.1), 5.0, measured(SHORT))[1]
