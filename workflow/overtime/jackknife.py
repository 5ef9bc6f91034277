"""Estimates over crossed units and repeated runs: the delete-one jackknife, and Student's interval.

Items (sentence pairs, questions, prompts) belong to one or two crossed units (a pair to its template and its occupation), and
every item is scored by several runs of several sizes. The variance of an estimate is that of leaving out each unit in turn, plus
what runs of one size differ by beyond their items. The variance over two crossed factors follows Cameron, Gelbach and Miller
(2011, doi:10.1198/jbes.2010.07136): that of either factor, less that of their cells. Sizes are fixed: they are no sample.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from overtime import InputError
from overtime.statistics import WEIGHTS_AT_ONCE, Interval, Statistic, Weights

FEWEST_LEVELS = 6  # from which Student's interval covers about what it says
AGREE = 1e-12  # values that differ by less are equal but for rounding


@dataclass(frozen=True)
class Student:
    """An estimate with its standard error and degrees of freedom; `n` counts the levels of its scarcest unit.

    `limits` are the least and the most that it can be: where all units and runs agree (no standard error), the exact binomial
    bound for "no deviating unit among n" stands in for an interval without width. `repeated`: there were runs of one size to
    compare, so the error covers seeds.
    """

    estimate: float
    standard_error: float
    df: float
    n: int
    limits: tuple[float, float] | None = None
    repeated: bool = False

    def interval(self, confidence: float = 0.95) -> Interval:
        """Two-sided interval; NaN bounds with one unit, and where all agree and nothing is known about limits."""
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


class LeaveOuts:
    """A statistic of every run with all items and without each unit, from which estimates of any choice of runs follow."""

    def __init__(self, runs: Mapping[str, Sequence[Statistic]], units: Iterable[ArrayLike]) -> None:
        """`runs` maps a size to the statistic of each of its runs; `units` are one or two arrays, the unit of every item [items].

        InputError if a statistic is undefined with all items.
        """
        factors = [np.unique(np.asarray(names), return_inverse=True)[1] for names in units]
        if len(factors) == 2:
            factors.append(np.unique(np.stack(factors), axis=1, return_inverse=True)[1].ravel())
        levels = [int(members.max()) + 1 for members in factors]
        self.parts = [1 + np.arange(count) + sum(levels[:place]) for place, count in enumerate(levels)]
        self.n = min(levels[:2])
        blocks = [
            {size: np.stack([statistic(design) for statistic in statistics]) for size, statistics in runs.items()}
            for design in _leave_outs(factors, levels)
        ]
        self.values = {size: np.concatenate([block[size] for block in blocks], axis=1) for size in runs}
        if not all(np.isfinite(own[:, 0]).all() for own in self.values.values()):
            raise InputError(f"statistic of {len(factors[0])} items is undefined: too few or one-sided values")

    def student(
        self,
        weights: Mapping[str, float] | None = None,
        limits: tuple[float, float] | None = None,
        one: Mapping[str, int] | None = None,
    ) -> Student:
        """The sum over sizes, by `weights` (default: equal, sum 1), of the mean over runs; `one` takes a single run of a size.

        Leave-outs that make the statistic undefined are dropped. Degrees of freedom follow Satterthwaite.
        """
        chosen = {
            size: own[[one[size]]] if one and one.get(size, len(own)) < len(own) else own for size, own in self.values.items()
        }
        share = weights or dict.fromkeys(chosen, 1 / len(chosen))
        total = np.sum([share[size] * own.mean(axis=0) for size, own in chosen.items()], axis=0)
        over_items, between = _variance(total, self.parts), self._between(chosen, share)
        spare, variance, df = sum(len(own) - 1 for own in chosen.values()), over_items + between, float(self.n - 1)
        if between:
            df = variance**2 / (over_items**2 / max(self.n - 1, 1) + between**2 / spare)
        return Student(float(total[0]), float(np.sqrt(variance)), df, self.n, limits, spare > 0)

    def _between(self, chosen: Mapping[str, NDArray[np.float64]], share: Mapping[str, float]) -> float:
        """Variance that runs add to the weighted mean: their spread within sizes, less the item noise that is counted already."""
        spare = sum(len(own) - 1 for own in chosen.values())
        if not spare:
            return 0.0
        spread = sum(float(((own[:, 0] - own[:, 0].mean()) ** 2).sum()) for own in chosen.values()) / spare
        item_noise = 0.0
        for own in chosen.values():
            alone = np.mean([_variance(run, self.parts) for run in own])
            item_noise += float(len(own) * (alone - _variance(own.mean(axis=0), self.parts)) / spare)
        of_mean = sum(share[size] ** 2 / len(own) for size, own in chosen.items())
        return max(0.0, spread - max(0.0, item_noise)) * of_mean


def jackknife(
    runs: Mapping[str, Sequence[Statistic]],
    units: Iterable[ArrayLike],
    weights: Mapping[str, float] | None = None,
    limits: tuple[float, float] | None = None,
) -> Student:
    """The weighted sum over sizes of the mean over each size's runs of a statistic, with its error; see `LeaveOuts`."""
    return LeaveOuts(runs, units).student(weights, limits)


def _leave_outs(factors: Sequence[NDArray[np.intp]], levels: Sequence[int]) -> Iterator[Weights]:
    """Weights with all items, then without each level of each factor [1 + levels, items], so many rows at a time."""
    items = len(factors[0])
    yield np.ones((1, items))
    step = max(1, WEIGHTS_AT_ONCE // items)
    for members, count in zip(factors, levels, strict=True):
        for start in range(0, count, step):
            yield (members != np.arange(start, min(start + step, count))[:, None]).astype(float)


def _variance(values: NDArray[np.float64], parts: Sequence[NDArray[np.intp]]) -> float:
    """Jackknife variance of a statistic from its leave-outs: of one factor, or of two crossed ones and their cells."""
    of_factor = []
    for rows in parts:
        known = values[rows][np.isfinite(values[rows])]
        of_factor.append(float((len(known) - 1) * known.var()) if len(known) else 0.0)
    if len(of_factor) == 1:
        return of_factor[0]
    first, second, cells = of_factor
    # The sum is unbiased; with the larger factor as its floor, simulated intervals of shares cover 99 % and more.
    return max(first + second - cells, min(first, second))
