"""Statistics as functions of item weights, ready for resampling.

A resample that draws an item twice gives it weight two. Each function here takes the data once and returns a function from a
weight matrix [resamples, items] to one value per resample, so that 2,000 resamples of 10,000 items are a matter of array
arithmetic, and two statistics evaluated on the same weights are paired.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Weights = NDArray[np.float64]
Statistic = Callable[[Weights], NDArray[np.float64]]


def mean_of(values: ArrayLike) -> Statistic:
    """Weighted mean of `values` [items]; NaN for a resample without weight."""
    numbers = np.asarray(values, float)

    def statistic(weights: Weights) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore"):
            return weights @ numbers / weights.sum(axis=1)

    return statistic


def _midranks(values: NDArray) -> Callable[[Weights], tuple[Weights, NDArray[np.float64]]]:
    """Centred mid-ranks under weights: ranks [resamples, items] and their weighted sums of squares [resamples]."""
    order = np.argsort(values, kind="stable")
    _, first = np.unique(values[order], return_index=True)
    group_of_item = np.unique(values, return_inverse=True)[1]

    def ranks(weights: Weights) -> tuple[Weights, NDArray[np.float64]]:
        mass = np.add.reduceat(weights[:, order], first, axis=1)
        centred = np.cumsum(mass, axis=1) - mass / 2 - weights.sum(axis=1, keepdims=True) / 2
        return centred[:, group_of_item], np.einsum("rg,rg,rg->r", mass, centred, centred)

    return ranks


def spearman_of(x: ArrayLike, y: ArrayLike) -> Statistic:
    """Spearman's rank correlation with mid-ranks for ties; 0 where one side is constant (no order, no trend)."""
    rank_x, rank_y = _midranks(np.asarray(x, float)), _midranks(np.asarray(y, float))

    def statistic(weights: Weights) -> NDArray[np.float64]:
        (ranks_x, square_x), (ranks_y, square_y) = rank_x(weights), rank_y(weights)
        product = np.einsum("ri,ri,ri->r", weights, ranks_x, ranks_y)
        scale = np.sqrt(square_x * square_y)
        return np.divide(product, scale, out=np.zeros_like(scale), where=scale > 0)

    return statistic


def auroc_of(scores: ArrayLike, positive: ArrayLike) -> Statistic:
    """Area under the ROC curve: the chance that a positive outscores a negative, ties counting one half."""
    scores, positive = np.asarray(scores, float), np.asarray(positive, bool)
    order = np.argsort(scores, kind="stable")
    first = np.unique(scores[order], return_index=True)[1]
    sign = positive[order].astype(float)

    def statistic(weights: Weights) -> NDArray[np.float64]:
        sorted_weights = weights[:, order]
        hits = np.add.reduceat(sorted_weights * sign, first, axis=1)
        misses = np.add.reduceat(sorted_weights * (1 - sign), first, axis=1)
        below = np.cumsum(misses, axis=1) - misses / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.einsum("rg,rg->r", hits, below) / (hits.sum(axis=1) * misses.sum(axis=1))

    return statistic


def among(statistic: Statistic, items: ArrayLike) -> Statistic:
    """`statistic` of a subset: it sees only the weights of `items` (indices, or one boolean per item)."""
    chosen = np.asarray(items)
    return lambda weights: statistic(weights[:, chosen])
