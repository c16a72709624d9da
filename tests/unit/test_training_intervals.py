import json
import math

import numpy as np
import pytest

from training.metrics.bootstrap import Weighted, estimates, paired_difference
from training.metrics.ranking import auc
from training.metrics.tables import METRICS, by_generator, by_source, markdown, summary


def clips(count: int, gap: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Half fake bool (N,), and scores in [0, 1] that differ by about `gap` deviations."""
    rng = np.random.default_rng(seed)
    fake = np.arange(count) % 2 == 0
    return fake, 1 / (1 + np.exp(-rng.normal(fake * gap, 1)))


def weighted_mean(values: np.ndarray) -> Weighted:
    return lambda weights: float(np.average(values, weights=weights))


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(40):
        values = np.random.default_rng(seed).normal(3.0, 1.0, 60)
        found = estimates({"mean": weighted_mean(values)}, 60, seed=seed, resamples=150)
        covered += found["mean"].low <= 3.0 <= found["mean"].high
    assert covered >= 34


def test_many_clips_of_one_speaker_are_not_many_speakers() -> None:
    values = np.repeat(np.random.default_rng(0).normal(size=30), 20)
    speakers = np.repeat(np.arange(30), 20)
    mean = {"mean": weighted_mean(values)}
    alone, together = (estimates(mean, 600, clusters)["mean"] for clusters in (None, speakers))
    assert (together.clusters, alone.clusters) == (30, 600)
    assert together.high - together.low > 3 * (alone.high - alone.low)


def test_intervals_repeat_with_the_seed() -> None:
    fake, scores = clips(60, 1.0)
    assert summary(fake, scores, seed=1, resamples=50) == summary(fake, scores, seed=1, resamples=50)
    assert summary(fake, scores, seed=1, resamples=50) != summary(fake, scores, seed=2, resamples=50)


def test_a_summary_holds_every_metric_inside_its_interval() -> None:
    fake, scores = clips(200, 1.5)
    found = summary(fake, scores, np.arange(200) // 4, resamples=200)
    assert set(found) == set(METRICS)
    assert all(0 <= e.low <= e.value <= e.high <= 1 for name, e in found.items() if name != "ece")
    assert found["auc"].value == pytest.approx(auc(fake, scores))
    assert json.loads(json.dumps(found["auc"].as_json()))["clusters"] == 50


def test_resamples_without_one_class_are_left_out_and_nothing_at_all_is_null() -> None:
    found = estimates(
        {"auc": lambda w: auc(np.array([True, False]), np.array([0.9, 0.1]), w)}, 2, resamples=100
    )["auc"]
    assert found.value == found.low == found.high == 1.0
    assert 30 < found.resamples < 70
    empty = summary(np.array([], bool), np.array([]))["auc"]
    assert math.isnan(empty.value)
    assert str(empty) == "-"
    assert empty.as_json()["value"] is None


def test_a_difference_on_the_same_clips_is_sharper_than_two_intervals() -> None:
    fake, scores = clips(300, 1.0)
    better = np.clip(scores + 0.05 * fake, 0, 1)
    found = paired_difference(auc, fake, better, scores, resamples=200)
    apart = [summary(fake, each, resamples=200)["auc"] for each in (better, scores)]
    assert found.value == pytest.approx(apart[0].value - apart[1].value)
    assert found.low > 0
    assert apart[0].low < apart[1].high


def test_a_difference_over_seeds_takes_their_spread_in() -> None:
    fake, scores = clips(300, 1.0)
    gains = np.array([0.15, -0.05, 0.05])
    ours = np.stack([np.clip(scores + gain * fake, 0, 1) for gain in gains])
    theirs = np.stack([scores] * 3)
    many = paired_difference(auc, fake, ours, theirs, resamples=200)
    one = paired_difference(auc, fake, np.clip(scores + 0.05 * fake, 0, 1), scores, resamples=200)
    assert many.high - many.low > 2 * (one.high - one.low)
    assert many.value == pytest.approx(np.mean([auc(fake, row) - auc(fake, scores) for row in ours]))
    same = paired_difference(auc, fake, theirs, theirs, resamples=20)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_shapes_that_do_not_pair_are_refused() -> None:
    fake, scores = clips(10, 1.0)
    with pytest.raises(ValueError, match="are no pairs"):
        paired_difference(auc, fake, scores, scores[:5])
    with pytest.raises(ValueError, match="3 cluster labels for 10 items"):
        summary(fake, scores, ["a", "b", "c"])


def test_a_source_is_measured_on_its_own_reals_and_fakes() -> None:
    fake, scores = clips(100, 2.0)
    sources = np.where(np.arange(100) < 60, "a/one", "b/two")
    lone = [*fake, True], [*scores, 0.5], [*sources, "c/fakes only"]
    one, two, three = by_source(np.array(lone[0]), np.array(lone[1]), lone[2], resamples=50)
    assert (one.name, one.fake, one.real) == ("a/one", 30, 30)
    assert two.numbers["auc"].value == pytest.approx(auc(fake[60:], scores[60:]))
    assert math.isnan(three.numbers["auc"].value)
    assert three.as_json()["auc"]["value"] is None


def test_a_generator_is_held_against_the_reals_of_its_source_if_there_are_any() -> None:
    fake = np.array([True] * 6 + [False] * 6 + [True] * 6)
    scores = np.linspace(1, 0, 18)
    generators = ["a:M"] * 6 + [""] * 6 + ["b:N"] * 6
    sources = ["a"] * 12 + ["b"] * 6
    first, second = by_generator(fake, scores, generators, sources, sources, resamples=20)
    assert (first.name, first.fake, first.real, first.reals, first.numbers["auc"].value) == (
        "a:M",
        6,
        6,
        "own",
        1.0,
    )
    assert (second.reals, second.real, second.numbers["auc"].value) == ("all", 6, 0.0)
    assert (first.numbers["auc"].clusters, second.numbers["auc"].clusters) == (1, 2)
    lines = markdown([first, second], ("auc",)).splitlines()
    assert lines[2] == "| a:M | 6 | 6 | own | 1.000 [1.000, 1.000] |"
    assert len({line.count("|") for line in lines}) == 1
