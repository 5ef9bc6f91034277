"""Intervals of shares over entities: by hand, against Wilson's, and how often they hold the true share."""

import numpy as np
import pytest
from scipy import stats

from overtime.facts.clustered_share import clustered_share
from overtime.statistics import wilson


def test_each_value_its_own_cluster_is_wilsons_interval():
    values = [1, 0, 1, 1, 0, 0.5]
    assert clustered_share(values, list("abcdef")) == wilson(3.5, 6)
    assert clustered_share([1.0], ["a"]) == wilson(1, 1)


def test_entities_whose_questions_are_equal_count_once():
    """One of four entities right in all three questions: Wilson's formula with 4 trials and Student's quantile of 3 degrees."""
    interval = clustered_share(np.repeat([1, 0, 0, 0], 3), np.repeat(range(4), 3))
    t, n, share = stats.t.ppf(0.975, 3), 4, 0.25
    reach = t * np.sqrt(share * (1 - share) / n + t**2 / (4 * n**2))
    expected = [(share + t**2 / (2 * n) + side * reach) / (1 + t**2 / n) for side in (-1, 1)]
    assert (interval.estimate, interval.n) == (share, 4)
    assert (interval.lower, interval.upper) == pytest.approx(expected)


def test_questions_that_differ_within_entities_count_as_what_they_are_worth():
    """Ten entities with one right of two, alike: no variance between them, so all 20 questions count; none counts twice."""
    alike = clustered_share([1, 0] * 10, np.repeat(range(10), 2))
    trials = 20 * (stats.norm.ppf(0.975) / stats.t.ppf(0.975, 9)) ** 2
    assert alike.upper == pytest.approx(wilson(trials / 2, trials).upper)
    # Sizes 1, 2, 3 with means 1, 1/2, 0: leaving one out gives 1/5, 1/4, 2/3; V = 2/3 of their squared distances from the mean
    left_out = np.array([1 / 5, 1 / 4, 2 / 3])
    variance = 2 / 3 * ((left_out - left_out.mean()) ** 2).sum()
    worth = max(1 / 3 * 2 / 3 / variance, 36 / 14)
    trials = worth * (stats.norm.ppf(0.975) / stats.t.ppf(0.975, 2)) ** 2
    uneven = clustered_share([1, 1, 0, 0, 0, 0], ["a", "b", "b", "c", "c", "c"])
    assert uneven.lower == pytest.approx(wilson(trials / 3, trials).lower)


def test_all_alike_and_alone():
    sure = clustered_share(np.ones(30), np.repeat(range(10), 3))
    trials = 10 * (stats.norm.ppf(0.975) / stats.t.ppf(0.975, 9)) ** 2
    assert (sure.upper, sure.lower) == (1, pytest.approx(wilson(trials, trials).lower))
    alone = clustered_share([1, 0, 1], ["a", "a", "a"])
    assert (alone.estimate, alone.lower, alone.upper, alone.n) == (pytest.approx(2 / 3), 0, 1, 1)


@pytest.mark.parametrize("entities", [6, 12, 60])
@pytest.mark.parametrize("share", [0.2, 0.5])
def test_coverage_where_an_entitys_questions_are_all_equal(entities, share):
    """1,500 samples each. Over questions Wilson's interval misses the true share of entities in a quarter of the samples."""
    random = np.random.default_rng(entities)
    clusters, held, by_questions = np.repeat(range(entities), 3), 0, 0
    for _ in range(1500):
        values = np.repeat(random.random(entities) < share, 3)
        ours, theirs = clustered_share(values, clusters), wilson(values.sum(), len(values))
        held += ours.lower <= share <= ours.upper
        by_questions += theirs.lower <= share <= theirs.upper
    assert held / 1500 >= 0.93
    assert by_questions / 1500 < 0.82


@pytest.mark.parametrize("alike", [0.0, 0.2, 0.5])
def test_coverage_where_they_are_partly_equal(alike):
    """Entities of 1 to 5 questions, whose chances of being right vary between entities (beta distribution) or not at all."""
    random, held = np.random.default_rng(1), 0
    for _ in range(1500):
        sizes = random.integers(1, 6, 20)
        weight = (1 - alike) / alike if alike else 1e6
        values = random.random(sizes.sum()) < np.repeat(random.beta(0.4 * weight, 0.6 * weight, 20), sizes)
        interval = clustered_share(values, np.repeat(range(20), sizes))
        held += interval.lower <= 0.4 <= interval.upper
    assert held / 1500 >= 0.93
