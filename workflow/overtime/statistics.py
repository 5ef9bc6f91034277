"""Estimates with their uncertainty: clustered bootstrap, proportions.

The independent unit is the cluster (a prompt, a template, an entity): clusters are resampled, with all their items, and both
sides of a comparison see the same resamples, so differences are paired.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, stdtrit  # those of scipy.stats, which takes most of a second to import

from overtime import InputError

Weights = NDArray[np.float64]
Statistic = Callable[[Weights], NDArray[np.float64]]
WEIGHTS_AT_ONCE = 2_000_000  # numbers in one block of weights: about 16 MB


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval; `n` counts independent units."""

    estimate: float
    lower: float
    upper: float
    n: int


@dataclass(frozen=True)
class Bootstrap:
    """An estimate with its resampled values; `n` counts resampled units.

    Intervals are expanded percentiles (Hesterberg 2015, doi:10.1080/00031305.2015.1089789): the level is widened until a normal
    sample would get Student's interval, which repairs the undercoverage of the plain percentile with few units. If all resamples
    agree, an interval without width would claim too much: given the `limits` that the statistic can reach, the exact binomial
    bound for "no deviating unit among n" takes over on either side.
    """

    estimate: float
    draws: NDArray[np.float64]
    n: int
    limits: tuple[float, float] | None = None

    def interval(self, confidence: float = 0.95) -> Interval:
        """Two-sided interval; NaN bounds for a single unit, which has no spread to resample."""
        tail = (1 - confidence) / 2
        if self.n < 2:
            lower = upper = float("nan")
        elif self.limits is not None and np.ptp(self.draws) < 1e-12:  # but for rounding
            deviating = 1 - tail ** (1 / self.n)
            lower, upper = (self.estimate + deviating * (limit - self.estimate) for limit in self.limits)
        else:
            level = ndtr(np.sqrt(self.n / (self.n - 1)) * stdtrit(self.n - 1, tail))
            lower, upper = np.quantile(self.draws, [level, 1 - level])
        return Interval(self.estimate, float(lower), float(upper), self.n)

    def minus(self, other: "Bootstrap") -> "Bootstrap":
        """The difference to another statistic of the same resamples, defined on the same of them."""
        return Bootstrap(self.estimate - other.estimate, self.draws - other.draws, self.n)


@dataclass(frozen=True)
class Normal:
    """An estimate of which only the standard error is known; intervals and p follow from the normal distribution."""

    estimate: float
    standard_error: float
    n: int

    def interval(self, confidence: float = 0.95) -> Interval:
        reach = ndtri((1 + confidence) / 2) * self.standard_error
        return Interval(self.estimate, float(self.estimate - reach), float(self.estimate + reach), self.n)

    def p_above(self, bound: float) -> float:
        return float(ndtr((bound - self.estimate) / self.standard_error))

    def p_below(self, bound: float) -> float:
        return float(ndtr((self.estimate - bound) / self.standard_error))


def bootstrap(
    statistic: Statistic, clusters: ArrayLike, resamples: int = 2000, seed: int = 0, limits: tuple[float, float] | None = None
) -> Bootstrap:
    """Resample clusters with replacement and evaluate `statistic` on each resample.

    `clusters` names the cluster of every item [items]. Resamples on which the statistic is undefined (NaN) are left out.
    """
    names, members = np.unique(np.asarray(clusters), return_inverse=True)
    estimate = float(statistic(np.ones((1, len(members))))[0])
    if not np.isfinite(estimate):
        raise InputError(f"statistic of {len(members)} items in {len(names)} clusters is undefined: too few or one-sided values")
    size, step = len(names), max(1, WEIGHTS_AT_ONCE // len(members))
    blocks = [_one_block(size, resamples, seed)] if step >= resamples else _blocks(size, resamples, seed, step)
    alone = np.array_equal(members, np.arange(size))  # each item a cluster of its own, in order
    values = np.concatenate([statistic(weights if alone else weights.take(members, axis=1)) for weights in blocks])
    return Bootstrap(estimate, values[np.isfinite(values)], size, limits)


def _blocks(size: int, resamples: int, seed: int, step: int) -> Iterator[Weights]:
    """How often each of `size` clusters was drawn: `step` resamples at a time."""
    random = np.random.default_rng(seed)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = random.integers(0, size, (rows, size)) + size * np.arange(rows)[:, None]  # each row has bins of its own
        yield np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size).astype(float)


@lru_cache(maxsize=4)  # a table has thousands of estimates over the same units
def _one_block(size: int, resamples: int, seed: int) -> Weights:
    weights = next(_blocks(size, resamples, seed, resamples))
    weights.setflags(write=False)
    return weights


def bootstrap_mean(
    values: ArrayLike, clusters: ArrayLike | None = None, resamples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Mean of `values` [items] with a bootstrap interval over clusters; missing (NaN) items are left out.

    Every item is its own cluster by default. For shares near 0 or 1 of independent items use `wilson`.
    """
    numbers = np.asarray(values, float)
    names = np.arange(len(numbers)) if clusters is None else np.asarray(clusters)
    if len(numbers) != len(names):
        raise InputError(f"values and clusters differ in length: {len(numbers)} and {len(names)}")
    known = np.isfinite(numbers)
    if not known.any():
        raise InputError(f"nothing to estimate: none of {len(names)} values is a number")
    return bootstrap(mean_of(numbers[known]), names[known], resamples, seed).interval(confidence)


def wilson(successes: float, n: float, confidence: float = 0.95) -> Interval:
    """Wilson score interval of a share of `n` independent trials; neither need be whole (means over seeds, effective numbers)."""
    if not 0 <= successes <= n or n == 0:
        raise InputError(f"wilson: {successes} successes of {n} trials; need 0 <= successes <= n and n > 0")
    share, square = successes / n, ndtri((1 + confidence) / 2) ** 2
    middle, reach = share + square / (2 * n), np.sqrt(square * (share * (1 - share) + square / (4 * n)) / n)
    lower, upper = ((middle + side * reach) / (1 + square / n) for side in (-1, 1))
    return Interval(share, float(lower) if successes else 0.0, float(upper) if successes < n else 1.0, round(n))


def mean_of(values: ArrayLike) -> Statistic:
    """Weighted mean of `values` [items]; NaN for a resample without weight."""
    numbers = np.asarray(values, float)

    def statistic(weights: Weights) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore"):
            means: NDArray[np.float64] = weights @ numbers / weights.sum(axis=1)
        return means

    return statistic


def _midranks(values: NDArray[np.float64]) -> Callable[[Weights], tuple[Weights, NDArray[np.float64]]]:
    """Centred mid-ranks under weights: ranks [resamples, items] and their weighted sums of squares [resamples]."""
    order = np.argsort(values, kind="stable")
    first, group_of_item = np.unique(values[order], return_index=True)[1], np.unique(values, return_inverse=True)[1]

    def ranks(weights: Weights) -> tuple[Weights, NDArray[np.float64]]:
        mass = np.add.reduceat(weights[:, order], first, axis=1)
        centred = np.cumsum(mass, axis=1) - mass / 2 - weights.sum(axis=1, keepdims=True) / 2
        return centred[:, group_of_item], np.einsum("rg,rg,rg->r", mass, centred, centred)

    return ranks


def _ordered(values: ArrayLike) -> NDArray[np.float64]:
    """Numbers that have an order; InputError for NaN, which would be ranked as the greatest of all."""
    numbers = np.asarray(values, float)
    if np.isnan(numbers).any():
        raise InputError(f"{int(np.isnan(numbers).sum())} of {len(numbers)} values are missing or NaN; they have no rank")
    return numbers


def spearman_of(x: ArrayLike, y: ArrayLike) -> Statistic:
    """Spearman's rank correlation with mid-ranks for ties; 0 where one side is constant (no order, no trend)."""
    rank_x, rank_y = _midranks(_ordered(x)), _midranks(_ordered(y))

    def statistic(weights: Weights) -> NDArray[np.float64]:
        (ranks_x, square_x), (ranks_y, square_y) = rank_x(weights), rank_y(weights)
        product: NDArray[np.float64] = np.einsum("ri,ri,ri->r", weights, ranks_x, ranks_y)
        scale: NDArray[np.float64] = np.sqrt(square_x * square_y)
        return np.divide(product, scale, out=np.zeros_like(scale), where=scale > 0)

    return statistic


def spearman_within(x: ArrayLike, y: ArrayLike, strata: ArrayLike) -> Statistic:
    """Rank correlation within strata: Pearson's of the mid-ranks within each stratum, centred and as shares of the stratum.

    Strata in which one side is constant tell nothing and are left out; 0 where no other is left.
    """
    names, members = np.unique(np.asarray(strata), return_inverse=True)
    left, right = _ordered(x), _ordered(y)
    parts = [np.flatnonzero(members == place) for place in range(len(names))]
    ranks = [(part, _midranks(left[part]), _midranks(right[part])) for part in parts]

    def statistic(weights: Weights) -> NDArray[np.float64]:
        sums = np.zeros((3, len(weights)))
        for part, rank_x, rank_y in ranks:
            own = weights[:, part]
            (ranks_x, square_x), (ranks_y, square_y) = rank_x(own), rank_y(own)
            terms = np.stack([np.einsum("ri,ri,ri->r", own, ranks_x, ranks_y), square_x, square_y])
            sums += np.divide(terms, own.sum(axis=1) ** 2, out=np.zeros_like(terms), where=(square_x > 0) & (square_y > 0))
        scale: NDArray[np.float64] = np.sqrt(sums[1] * sums[2])
        return np.divide(sums[0], scale, out=np.zeros_like(scale), where=scale > 0)

    return statistic


def auroc_of(scores: ArrayLike, positive: ArrayLike) -> Statistic:
    """Area under the ROC curve: the chance that a positive outscores a negative, ties counting one half."""
    scores, positive = _ordered(scores), np.asarray(positive, bool)
    hits, misses = np.flatnonzero(positive), np.flatnonzero(~positive)
    misses = misses[np.argsort(scores[misses], kind="stable")]
    left, right = (np.searchsorted(scores[misses], scores[hits], side) for side in ("left", "right"))  # differ where scores tie
    halves = [left] if np.array_equal(left, right) else [left, right]

    def statistic(weights: Weights) -> NDArray[np.float64]:
        by_item = np.ascontiguousarray(weights.T)  # whose rows are gathered at the speed of memory
        below = np.zeros((len(misses) + 1, len(weights)))
        np.cumsum(by_item[misses], axis=0, out=below[1:])
        beaten, weight = sum(below[place] for place in halves) / len(halves), by_item[hits]
        with np.errstate(invalid="ignore", divide="ignore"):
            areas: NDArray[np.float64] = np.einsum("ir,ir->r", weight, beaten) / (weight.sum(axis=0) * below[-1])
        return areas

    return statistic


def among(statistic: Statistic, items: ArrayLike) -> Statistic:
    """`statistic` of a subset: it sees only the weights of `items` (indices, or one boolean per item)."""
    chosen = np.asarray(items)
    return lambda weights: statistic(weights[:, chosen])
