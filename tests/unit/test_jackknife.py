"""The jackknife over crossed units and runs: hand-computed variances, known formulas, simulated studies with known truth."""

import numpy as np
import pytest
from interval_coverage import SCENARIOS, coverage
from scipy import stats as scipy_stats

from overtime import InputError
from overtime.jackknife import LeaveOuts, Student, jackknife
from overtime.statistics import mean_of

random = np.random.default_rng(5)


def test_of_independent_items_it_is_students_interval_of_the_mean():
    values = random.normal(size=30)
    found = jackknife({"s": [mean_of(values)]}, [np.arange(30)])
    theirs = scipy_stats.ttest_1samp(values, 0.1)
    assert (found.interval().lower, found.interval().upper) == pytest.approx(tuple(theirs.confidence_interval()))
    assert found.p_above(0.1) == pytest.approx(scipy_stats.ttest_1samp(values, 0.1, alternative="greater").pvalue)
    assert found.p_below(0.1) == pytest.approx(scipy_stats.ttest_1samp(values, 0.1, alternative="less").pvalue)
    assert (found.n, found.df, found.repeated) == (30, 29, False)


def test_of_unequal_clusters_it_is_the_formula():
    values, clusters = np.array([1.0, 2.0, 6.0, 3.0, 9.0]), np.array(["a", "a", "b", "c", "c"])
    without = np.array([18 / 3, 15 / 4, 9 / 3])  # means without a, without b, without c
    assert jackknife({"s": [mean_of(values)]}, [clusters]).standard_error ** 2 == pytest.approx(
        2 / 3 * ((without - without.mean()) ** 2).sum()
    )


def test_two_crossed_units_add_up_less_their_cells():
    rows, columns = np.repeat(np.arange(6), 8), np.tile(np.arange(8), 6)
    values = random.normal(size=6)[rows] + 0.5 * random.normal(size=8)[columns] + 0.2 * random.normal(size=48)
    one, two, cell = (
        jackknife({"s": [mean_of(values)]}, [names]).standard_error ** 2 for names in (rows, columns, np.arange(48))
    )
    both = jackknife({"s": [mean_of(values)]}, [rows, columns])
    assert both.standard_error**2 == pytest.approx(one + two - cell)
    assert (both.n, both.df) == (6, 5)


def test_it_is_never_less_than_that_of_the_steadier_unit():
    rows, columns = np.repeat(np.arange(6), 8), np.tile(np.arange(8), 6)
    values = np.where((rows + columns) % 2, 1.0, 0.0) + 0.01 * rows + 0.001 * columns  # cells vary more than both together
    one, two, cell = (
        jackknife({"s": [mean_of(values)]}, [names]).standard_error ** 2 for names in (rows, columns, np.arange(48))
    )
    assert one + two < cell
    assert jackknife({"s": [mean_of(values)]}, [rows, columns]).standard_error ** 2 == pytest.approx(min(one, two))


def test_runs_add_what_they_differ_by_beyond_their_items():
    same = random.normal(size=40)
    shifts = [-1.0, 1.0, 0.0]
    runs = {"s": [mean_of(same + shift) for shift in shifts]}
    found = jackknife(runs, [np.arange(40)])
    over_items = same.var(ddof=1) / 40
    assert found.standard_error**2 == pytest.approx(over_items + np.var(shifts, ddof=1) / 3)
    between = 1 / 3
    assert found.df == pytest.approx((over_items + between) ** 2 / (over_items**2 / 39 + between**2 / 2))
    assert found.repeated


def test_what_items_explain_is_not_counted_twice():
    """Runs that share nothing but the expectation: their spread is item noise, which the variance over items holds already."""
    ratios = []
    for _ in range(300):
        runs = [mean_of(random.normal(size=60)) for _ in range(4)]
        ratios.append(jackknife({"s": runs}, [np.arange(60)]).standard_error ** 2 * 240)
    assert np.mean(ratios) == pytest.approx(1.2, abs=0.15)  # 1, and a little for what is cut off below zero


def test_sizes_are_weighted_and_their_runs_pooled():
    one, two = random.normal(size=(2, 30)), random.normal(size=(3, 30)) + 2
    runs = {"small": [mean_of(v) for v in one], "large": [mean_of(v) for v in two]}
    weights = {"small": -1.0, "large": 1.0}
    found = jackknife(runs, [np.arange(30)], weights)
    assert found.estimate == pytest.approx(two.mean() - one.mean())
    single = LeaveOuts(runs, [np.arange(30)]).student(weights, one={"small": 1, "large": 2})
    assert single.estimate == pytest.approx(two[2].mean() - one[1].mean())
    assert single.standard_error == pytest.approx((two[2] - one[1]).std(ddof=1) / 30**0.5)
    assert not single.repeated


def test_where_all_agree_the_exact_bound_stands_in():
    found = jackknife({"s": [mean_of(np.ones(20))]}, [np.arange(20)], limits=(0, 1))
    assert found.interval().lower == pytest.approx(1 - (1 - 0.025 ** (1 / 20)))
    assert found.interval().upper == 1
    assert found.p_above(0.5) == pytest.approx(0.5**20)
    unlimited = jackknife({"s": [mean_of(np.ones(20))]}, [np.arange(20)])
    assert np.isnan(unlimited.interval().lower)
    assert unlimited.p_above(0) == 1


def test_undefined_leave_outs_are_dropped_and_an_undefined_statistic_is_refused():
    values, clusters = random.normal(size=8), np.arange(8)

    def only_first(weights):
        return np.where(weights[:, 0] > 0, weights @ values / weights.sum(axis=1), np.nan)

    found = jackknife({"s": [only_first]}, [clusters])
    kept = np.array([np.delete(values, i).mean() for i in range(1, 8)])
    assert found.standard_error**2 == pytest.approx(6 / 7 * ((kept - kept.mean()) ** 2).sum())
    with pytest.raises(InputError, match="undefined"):
        jackknife({"s": [lambda weights: np.full(len(weights), np.nan)]}, [clusters])


def test_a_single_unit_decides_nothing():
    found = Student(0.5, 0.1, 0, 1)
    assert np.isnan(found.interval().lower)
    assert (found.p_above(0.0), found.p_below(np.inf), found.p_above(-np.inf)) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_simulated_studies_are_covered(scenario):
    """150 studies on the design of the mini world; `benchmarks/interval_coverage.py` prints all statistics with 1,000."""
    covered, _ = coverage("share", SCENARIOS[scenario], 150)
    low, high = scipy_stats.binom.ppf([0.001, 0.999], 150, [0.93, 0.985]) / 150
    assert low <= covered <= high
