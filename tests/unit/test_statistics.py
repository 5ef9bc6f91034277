"""Intervals and tests against hand computation, scipy, scikit-learn, and numbers from statsmodels 0.15.0."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from sklearn.metrics import roc_auc_score

from overtime import InputError
from overtime.claims.decisions import holm, needed_n, p_outside, p_within
from overtime.jackknife import jackknife
from overtime.statistics import (
    Bootstrap,
    Normal,
    among,
    auroc_of,
    bootstrap,
    bootstrap_mean,
    mean_of,
    spearman_of,
    spearman_within,
    wilson,
)

# A fixed paired sample; statsmodels gave the values quoted below for exactly these differences.
index = np.arange(60)
DIFFERENCES = np.round(0.02 + 0.15 * np.sin(index * 1.7) + 0.05 * np.cos(index * 0.31), 6)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 3)), min_size=4, max_size=30))
def test_weighted_statistics_equal_the_plain_ones_on_repeated_items(rows):
    x, y, weights = np.array(rows).T
    repeated_x, repeated_y = np.repeat(x, weights), np.repeat(y, weights)
    drawn = weights[None].astype(float)
    if len(set(repeated_x)) > 1 and len(set(repeated_y)) > 1:
        assert spearman_of(x, y)(drawn)[0] == pytest.approx(scipy_stats.spearmanr(repeated_x, repeated_y).statistic, abs=1e-12)
    positive = y > 1
    if len(set(repeated_y > 1)) > 1:
        assert auroc_of(x, positive)(drawn)[0] == pytest.approx(roc_auc_score(repeated_y > 1, repeated_x), abs=1e-12)
    if len(repeated_x):
        assert mean_of(x)(drawn)[0] == pytest.approx(repeated_x.mean(), abs=1e-12)


def test_statistics_that_are_not_defined():
    assert spearman_of([1, 2, 3], [5, 5, 5])(np.ones((1, 3)))[0] == 0
    assert np.isnan(auroc_of([1, 2], [True, True])(np.ones((1, 2)))[0])
    assert among(mean_of([1.0, 3.0]), [True, False, True])(np.array([[1.0, 9.0, 3.0]]))[0] == 2.5
    for broken in (
        lambda: bootstrap(auroc_of([1, 2], [1, 1]), [0, 1]),
        lambda: bootstrap_mean([]),
        lambda: bootstrap_mean([np.nan, np.nan]),
    ):
        with pytest.raises(InputError, match=r"undefined|nothing to estimate"):
            broken()
    with pytest.raises(InputError, match="length"):
        bootstrap_mean([1, 2, 3], [0, 1])
    with pytest.raises(InputError, match="5 successes of 3"):
        wilson(5, 3)


def test_expanded_percentiles_of_a_normal_bootstrap_are_students_interval():
    """The bootstrap of a normal mean is normal with standard deviation s sqrt((n-1)/n) / sqrt(n): made from its quantiles."""
    n, mean, s = 8, 0.3, 0.2
    grid = scipy_stats.norm.ppf((np.arange(100_000) + 0.5) / 100_000)
    estimate = Bootstrap(mean, mean + grid * s * np.sqrt((n - 1) / n) / np.sqrt(n), n)
    student = scipy_stats.t.interval(0.95, n - 1, mean, s / np.sqrt(n))
    interval = estimate.interval()
    assert (interval.lower, interval.upper) == pytest.approx(student, abs=1e-4)


def test_mean_agrees_with_student_scipy_and_statsmodels():
    interval = bootstrap_mean(DIFFERENCES, resamples=20_000)
    assert interval.estimate == pytest.approx(DIFFERENCES.mean())
    assert interval.n == 60
    # statsmodels DescrStatsW(DIFFERENCES).tconfint_mean()
    assert (interval.lower, interval.upper) == pytest.approx((-0.0097865, 0.0479811), abs=1.5e-3)
    theirs = scipy_stats.bootstrap((DIFFERENCES,), np.mean, method="percentile", n_resamples=20_000, rng=1).confidence_interval
    assert (interval.lower, interval.upper) == pytest.approx((theirs.low, theirs.high), abs=2e-3)


def test_clusters_are_the_units():
    values = np.random.default_rng(3).normal(size=30)
    alone, tripled = bootstrap_mean(values), bootstrap_mean(np.repeat(values, 3), np.repeat(np.arange(30), 3))
    assert (tripled.lower, tripled.upper, tripled.n) == pytest.approx((alone.lower, alone.upper, 30))
    unclustered = bootstrap_mean(np.repeat(values, 3))
    assert unclustered.n == 90
    assert unclustered.upper - unclustered.lower < 0.7 * (alone.upper - alone.lower)
    missing = bootstrap_mean([*values, np.nan], [*map(str, range(30)), "30"])
    assert missing.n == 30
    assert missing.estimate == pytest.approx(values.mean())
    assert bootstrap_mean(values) == bootstrap_mean(values) != bootstrap_mean(values, seed=1)


def test_coverage_with_few_clusters():
    """500 samples of 12 clusters of 4 correlated items: 5 % of intervals miss the mean, with chance 41 of 500 (p = .999)."""
    random = np.random.default_rng(0)
    clusters = np.repeat(np.arange(12), 4)
    misses = 0
    for _ in range(500):
        items = random.normal(size=12)[clusters] + random.normal(size=48)
        interval = bootstrap_mean(items, clusters, resamples=1000)
        misses += not interval.lower < 0 < interval.upper
    assert misses <= scipy_stats.binom.ppf(0.999, 500, 0.05)


def test_rank_trend_and_auroc_intervals():
    random = np.random.default_rng(5)
    x = random.lognormal(size=400)
    y = np.log(x) + random.normal(size=400)
    trend = bootstrap(spearman_of(x, y), np.arange(400)).interval()
    assert trend.estimate == pytest.approx(scipy_stats.spearmanr(x, y).statistic)
    # Fisher's z interval with the variance of Fieller, Hartley and Pearson (1957)
    reach = 1.96 * np.sqrt(1.06 / 397)
    assert (trend.lower, trend.upper) == pytest.approx(np.tanh(np.arctanh(trend.estimate) + np.array([-reach, reach])), abs=0.015)
    area = bootstrap(auroc_of(y, x > 1), np.arange(400)).interval()
    assert area.estimate == pytest.approx(roc_auc_score(x > 1, y))
    # DeLong's variance from the placements of each item among the other class
    hits, misses = y[x > 1], y[x <= 1]
    above = hits[:, None] > misses
    error = np.sqrt(above.mean(axis=1).var(ddof=1) / len(hits) + above.mean(axis=0).var(ddof=1) / len(misses))
    assert (area.upper - area.lower) / (2 * 1.96) == pytest.approx(error, rel=0.08)


def test_rank_correlation_within_strata_is_that_of_ranks_within_them():
    """By hand: ranks (-1/4, 1/4) and (-1/3, 0, 1/3) as shares; y agrees in the first and turns two in the second."""
    x, y, strata = [1, 2, 10, 20, 30], [5, 6, 0, 2, 1], ["a", "a", "b", "b", "b"]
    expected = (2 / 16 + 1 / 9) / (2 / 16 + 2 / 9)
    ones = np.ones((1, 5))
    assert spearman_within(x, y, strata)(ones) == pytest.approx(expected)
    assert spearman_within(x, y, ["a"] * 5)(ones) == pytest.approx(spearman_of(x, y)(ones))
    constant = spearman_within([*x, 7, 7], [*y, 0, 1], [*strata, "c", "c"])(np.ones((1, 7)))
    assert constant == pytest.approx(expected)  # a stratum without a trend to see says nothing, not that there is none
    assert spearman_within([1, 1], [0, 1], ["a", "a"])(np.ones((1, 2))) == 0
    doubled = spearman_within(np.repeat(x, 2), np.repeat(y, 2), np.repeat(strata, 2))(np.ones((1, 10)))
    assert spearman_within(x, y, strata)(2 * ones) == pytest.approx(doubled)
    without = spearman_within(x, y, strata)(np.array([[1.0, 1, 0, 1, 1]]))
    assert without == pytest.approx(spearman_within(x[:2] + x[3:], y[:2] + y[3:], strata[:2] + strata[3:])(np.ones((1, 4))))


def test_wilson():
    # (8 + z²/2 ± z sqrt(8·2/10 + z²/4)) / (10 + z²); statsmodels proportion_confint(8, 10, method="wilson") agrees
    interval = wilson(8, 10)
    assert (interval.lower, interval.upper) == pytest.approx((0.4901624715, 0.9433178485))
    assert wilson(0, 20).upper == pytest.approx(0.1611251581)


def test_no_width_is_not_certainty():
    """20 agreeing units: the exact binomial bound for 0 of 20, not an interval of width zero."""
    agreed = bootstrap(mean_of(np.zeros(20)), np.arange(20), limits=(0, 1))
    exact = scipy_stats.binomtest(0, 20).proportion_ci(0.95, method="exact")
    assert agreed.interval().upper == pytest.approx(exact.high)
    assert agreed.interval().lower == 0
    difference = bootstrap(mean_of(np.zeros(20)), np.arange(20), limits=(-1, 1)).interval()
    assert difference.lower == pytest.approx(-exact.high)
    alone = bootstrap_mean([1.0])
    assert alone.estimate == 1
    assert np.isnan([alone.lower, alone.upper]).all()


def test_equivalence_agrees_with_statsmodels():
    estimate = jackknife({"": [mean_of(DIFFERENCES)]}, [index])
    # statsmodels ttost_paired(DIFFERENCES, zeros, -0.05, 0.05): p of both sides 5.88e-06 and 0.018214
    assert p_within(estimate, -0.05, 0.05) == pytest.approx(0.018214, abs=1e-6)
    assert estimate.p_above(-0.05) < 1e-3
    normal = Normal(0.08, 0.02, 320)
    assert p_within(normal, -0.05, 0.05) == pytest.approx(scipy_stats.norm.sf(-1.5))
    assert p_outside(normal, -0.05, 0.05) == pytest.approx(scipy_stats.norm.sf(1.5))
    assert p_within(normal, 0.05, np.inf) == pytest.approx(scipy_stats.norm.sf(1.5))
    assert p_within(estimate, -np.inf, 0.05) == estimate.p_below(0.05)
    interval = normal.interval(0.9)
    assert (interval.lower, interval.upper) == pytest.approx((0.08 - 1.644854 * 0.02, 0.08 + 1.644854 * 0.02))


def test_holm_and_sample_size():
    # statsmodels multipletests(method="holm") gives the same
    assert holm([0.01, 0.04, 0.03, 0.005, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.025, 0.5])
    assert holm([]).size == 0
    # statsmodels normal_sample_size_one_tail(0.02, 0.8, 0.025, std_null=0.3) = 1766.0
    assert needed_n(Normal(0.07, 0.3 / np.sqrt(100), 100), (0.05, np.inf)) == 1766
    assert needed_n(Normal(0.05, 0.1, 100), (-np.inf, 0.05)) is None
