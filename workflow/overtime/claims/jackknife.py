"""Estimates over crossed units and repeated runs: the delete-one jackknife, and Student's interval.

Items (sentence pairs, questions, prompts) belong to one or two crossed units (a pair to its template and its occupation), and every
item is scored by several runs of several sizes. The variance of an estimate is that of leaving out each unit in turn, plus what
runs of one size differ by beyond their items. The variance over two crossed factors follows Cameron, Gelbach and Miller (2011,
doi:10.1198/jbes.2010.07136): that of either factor, less that of their cells. Sizes are fixed: they are no sample of anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from overtime import InputError
from overtime.statistics import Interval, Statistic, Weights

FEWEST_LEVELS = 6  # from which Student's interval covers about what it says
AGREE = 1e-12  # values that differ by less are equal but for rounding


@dataclass(frozen=True)
class Student:
    """An estimate with its standard error and degrees of freedom; `n` counts the levels of its scarcest unit.

    `limits` are the least and the most that it can be: where all units and runs agree (no standard error), the exact binomial
    bound for "no deviating unit among n" stands in for an interval without width. `repeated`: runs differ by more than their
    items, as far as there are runs to tell.
    """

    estimate: float
    standard_error: float
    df: float
    n: int
    limits: tuple[float, float] | None = None
    repeated: bool = False

    def interval(self, confidence: float = 0.95) -> Interval:
        """Two-sided interval; NaN bounds where all agree and nothing is known about limits, or with one unit."""
        tail = (1 - confidence) / 2
        if self.n < 2 or (self._agree and self.limits is None):
            lower = upper = float("nan")
        elif self._agree and self.limits is not None:
            deviating = 1 - tail ** (1 / self.n)
            lower, upper = (self.estimate + deviating * (limit - self.estimate) for limit in self.limits)
        else:
            reach = stdtrit(self.df, 1 - tail) * self.standard_error
            lower, upper = self.estimate - reach, self.estimate + reach
        return Interval(self.estimate, float(lower), float(upper), self.n)

    def p_above(self, bound: float) -> float:
        """One-sided p of the hypothesis "the effect is at most `bound`"."""
        return self._p(bound, 0)

    def p_below(self, bound: float) -> float:
        """One-sided p of the hypothesis "the effect is at least `bound`"."""
        return self._p(bound, 1)

    @property
    def _agree(self) -> bool:
        return self.standard_error < AGREE

    def _p(self, bound: float, side: int) -> float:
        distance = (1 - 2 * side) * (self.estimate - bound)
        if self.n < 2 or np.isinf(bound) or (self._agree and self.limits is None):
            return 0.0 if np.isinf(distance) and distance > 0 else 1.0
        if self._agree and self.limits is not None:
            room = abs(self.limits[side] - self.estimate)
            return float((1 - np.clip(distance / room, 0, 1)) ** self.n) if room else float(distance <= 0)
        return float(stdtr(self.df, -distance / self.standard_error))


def jackknife(
    runs: Mapping[str, Sequence[Statistic]],
    units: Sequence[ArrayLike],
    weights: Mapping[str, float] | None = None,
    limits: tuple[float, float] | None = None,
) -> Student:
    """The weighted sum over sizes of the mean over each size's runs of a statistic, with its error.

    `runs` maps a size to the statistic of each of its runs; `units` are one or two arrays that name the unit of every item
    [items]; `weights` are those of the sizes (default: equal, sum 1). Leave-outs that make a statistic undefined are dropped.
    InputError if it is undefined with all items.
    """
    factors = [np.unique(np.asarray(names), return_inverse=True)[1] for names in units]
    if len(factors) == 2:
        factors.append(np.unique(np.stack(factors), axis=1, return_inverse=True)[1].ravel())
    design, parts = _leave_outs(factors)
    values = {size: np.stack([statistic(design) for statistic in statistics]) for size, statistics in runs.items()}
    share = weights or dict.fromkeys(runs, 1 / len(runs))
    total = sum(share[size] * own.mean(axis=0) for size, own in values.items())
    if not all(np.isfinite(own[:, 0]).all() for own in values.values()):
        raise InputError(f"statistic of {design.shape[1]} items is undefined: too few or one-sided values")
    levels = [len(rows) for rows in parts[:2]]
    over_items = _variance(total, parts)
    between = _between_runs(values, share, parts)
    spare = sum(len(own) - 1 for own in values.values())
    variance, n = over_items + between, min(levels)
    df = float(n - 1)
    if between and variance:
        df = variance**2 / (over_items**2 / max(n - 1, 1) + between**2 / spare)
    return Student(float(total[0]), float(np.sqrt(variance)), df, n, limits, spare > 0)


def _leave_outs(factors: Sequence[NDArray[np.intp]]) -> tuple[Weights, list[NDArray[np.intp]]]:
    """Weights with all items, then without each level of each factor [1 + levels, items]; the rows of every factor."""
    rows, parts, start = [np.ones((1, len(factors[0])))], [], 1
    for members in factors:
        levels = int(members.max()) + 1
        rows.append((members != np.arange(levels)[:, None]).astype(float))
        parts.append(np.arange(start, start + levels))
        start += levels
    return np.concatenate(rows), parts


def _variance(values: NDArray[np.float64], parts: Sequence[NDArray[np.intp]]) -> float:
    """Jackknife variance of a statistic from its leave-outs: of one factor, or of two crossed ones and their cells."""
    of_factor = []
    for rows in parts:
        known = values[rows][np.isfinite(values[rows])]
        of_factor.append(float((len(known) - 1) * known.var()) if len(known) else 0.0)
    if len(of_factor) == 1:
        return of_factor[0]
    first, second, cells = of_factor
    return max(first + second - cells, first, second)


def _between_runs(
    values: Mapping[str, NDArray[np.float64]], share: Mapping[str, float], parts: Sequence[NDArray[np.intp]]
) -> float:
    """Variance that runs add to the weighted mean: their spread within sizes, less the item noise in it that is counted already."""
    spare = sum(len(own) - 1 for own in values.values())
    if not spare:
        return 0.0
    spread = sum(((own[:, 0] - own[:, 0].mean()) ** 2).sum() for own in values.values()) / spare
    item_noise = 0.0
    for own in values.values():
        alone = np.mean([_variance(run, parts) for run in own])
        item_noise += len(own) * (alone - _variance(own.mean(axis=0), parts)) / spare
    return float(max(0.0, spread - max(0.0, item_noise)) * sum(share[size] ** 2 / len(own) for size, own in values.items()))
