import math

import numpy as np
import pytest
from scipy.stats import binomtest

from galfeat.evaluate.intervals import (
    Interval,
    bootstrap,
    class_intervals,
    percentile_interval,
    resampled_counts,
    reverse_percentile_interval,
    wilson,
)
from galfeat.evaluate.metrics import per_class


def test_each_draw_has_as_many_rows_as_there_are():
    counts = np.concatenate(list(resampled_counts(37, resamples=50)))
    assert counts.shape == (50, 37)
    np.testing.assert_array_equal(counts.sum(axis=1), 37)


def test_groups_are_drawn_whole():
    groups = np.array(["a", "b", "a", "c", "b"])
    counts = np.concatenate(list(resampled_counts(5, groups=groups, resamples=40)))
    np.testing.assert_array_equal(counts[:, 0], counts[:, 2])
    np.testing.assert_array_equal(counts[:, 1], counts[:, 4])
    np.testing.assert_array_equal(counts[:, [0, 1, 3]].sum(axis=1), 3)


def test_draws_depend_only_on_the_seed():
    first, again, other = (
        np.concatenate(list(resampled_counts(20, seed=seed, resamples=10))) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_many_rows_are_drawn_in_several_blocks():
    blocks = list(resampled_counts(300_000, resamples=8))
    assert len(blocks) > 1
    assert sum(len(block) for block in blocks) == 8


def test_bootstrap_spread_of_a_mean_is_its_standard_error():
    numbers = np.random.default_rng(0).normal(3, 2, 400)
    values, samples = bootstrap(lambda c: {"mean": c @ numbers / c.sum(axis=1)}, 400)
    assert values["mean"] == pytest.approx(numbers.mean())
    assert samples["mean"].std() == pytest.approx(numbers.std() / 20, rel=0.1)


def test_grouped_draws_of_duplicated_rows_are_as_wide_as_the_single_rows():
    numbers = np.random.default_rng(0).normal(size=100)
    doubled = np.repeat(numbers, 2)

    def spread(values, groups):
        score = lambda c: {"mean": c @ values / c.sum(axis=1)}  # noqa: E731
        return bootstrap(score, len(values), groups=groups)[1]["mean"].std()

    single = spread(numbers, None)
    assert spread(doubled, np.repeat(np.arange(100), 2)) == pytest.approx(single, rel=0.1)
    assert spread(doubled, None) < 0.8 * single


def test_percentile_interval_has_nominal_coverage_for_a_share():
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(200):
        right = (rng.random(120) < 0.7).astype(float)
        values, samples = bootstrap(
            lambda c, right=right: {"share": c @ right / c.sum(axis=1)},
            120,
            seed=trial,
            resamples=300,
        )
        interval = percentile_interval(values["share"], samples["share"])
        hits += interval.low <= 0.7 <= interval.high
    assert 0.90 <= hits / 200 <= 0.99


def test_draws_without_a_value_are_left_out():
    interval = percentile_interval(0.5, np.array([np.nan, 0.4, 0.6, np.nan]))
    assert 0.4 <= interval.low < interval.high <= 0.6
    assert math.isnan(percentile_interval(0.5, np.array([np.nan])).low)


def test_an_interval_holds_its_value():
    assert percentile_interval(0.9, np.linspace(0.2, 0.6, 11)).high == 0.9
    assert percentile_interval(0.1, np.linspace(0.2, 0.6, 11)).low == 0.1
    assert math.isnan(reverse_percentile_interval(0.1, np.array([np.nan])).high)


def test_reverse_interval_takes_the_bias_of_a_distance_out():
    interval = reverse_percentile_interval(0.10, np.linspace(0.11, 0.19, 101))
    assert interval == (0.10, pytest.approx(0.012), 0.10)
    assert reverse_percentile_interval(0.02, np.linspace(0.02, 0.08, 11)).low == 0


@pytest.mark.parametrize(("k", "n"), [(0, 10), (10, 10), (24, 50), (1, 1), (333, 1000)])
def test_wilson_is_scipys(k, n):
    low, high = binomtest(k, n).proportion_ci(method="wilson")
    assert wilson(k, n) == pytest.approx((k / n, low, high), abs=1e-12)


def test_wilson_without_trials_is_the_whole_range():
    interval = wilson(0, 0)
    assert math.isnan(interval.value)
    assert (interval.low, interval.high) == (0, 1)


def test_wilson_refuses_more_successes_than_trials():
    with pytest.raises(ValueError, match="k is 3 of n = 2"):
        wilson(3, 2)


def test_scores_of_a_class_are_the_usual_ones_with_intervals_around_them():
    confusion = np.array([[5.5, 1.0, 0.0], [2.0, 7.0, 0.0], [0.0, 0.0, 0.0]])
    found, usual = class_intervals(confusion), per_class(confusion)
    for name in ("precision", "recall", "f1"):
        ours = [getattr(one, name) for one in found]
        np.testing.assert_allclose([one.value for one in ours], getattr(usual, name))
        assert all(one.low < one.value < one.high for one in ours[:2])
        assert (ours[2].low, ours[2].high) == (0, 1)


def test_intervals_of_f1_have_nominal_coverage():
    rng, shares = np.random.default_rng(0), np.array([[0.12, 0.05], [0.08, 0.75]])
    truth = per_class(shares).f1[0]
    drawn = rng.multinomial(150, shares.ravel(), size=1000).reshape(-1, 2, 2)
    covered = [one.low <= truth <= one.high for one in (class_intervals(c)[0].f1 for c in drawn)]
    assert 0.93 <= np.mean(covered) <= 0.97


def test_what_is_not_finite_becomes_none():
    assert Interval(0.5, math.nan, math.inf).to_json() == {"value": 0.5, "low": None, "high": None}
