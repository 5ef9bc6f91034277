"""Statistics of gender bias in sentence pairs, as functions of item weights [rows, items] with one value for each row.

A pair's score is d = ll_more - ll_less, which is positive where the model prefers the stereotype; m is the same log-odds read as
masculine against feminine: d where the stereotype is masculine, else -d. Weights act as repeated items do: NaN where they leave
nothing to compare.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from overtime.statistics import Statistic, Weights, among, mean_of
from overtime.tables import FEMININE_SHARE

DIRECTIONS = ("feminine", "masculine")
ROUNDING = 1e-12  # sums of squares within groups are 0 if they are a smaller part of the whole

# Sums of squares and products of two variables within groups [rows, 2, 2], of item weights.
Moments = Callable[[Weights], NDArray[np.float64]]


def preference_of(scores: ArrayLike, directions: ArrayLike, mix: float = FEMININE_SHARE) -> Statistic:
    """S(mix): the share of pairs whose stereotype is preferred, `mix` of it from feminine ones, the rest from masculine ones."""
    preferred, sides = (np.asarray(scores) > 0).astype(float), np.asarray(directions)
    feminine, masculine = (among(mean_of(preferred[sides == side]), sides == side) for side in DIRECTIONS)
    return lambda weights: mix * feminine(weights) + (1 - mix) * masculine(weights)


def imbalance_of(scores: ArrayLike) -> Statistic:
    """How far the share of preferred stereotypes lies from one half, to either side."""
    share = mean_of((np.asarray(scores) > 0).astype(float))
    return lambda weights: np.abs(share(weights) - 0.5)


def ranking_of(log_odds: ArrayLike, masculine: ArrayLike, templates: ArrayLike) -> Statistic:
    """A: the chance that a masculine pair has the greater `log_odds` than a feminine one of its template, ties counting one half.

    As an area under the ROC curve it does not change where all log-odds of a template move together.
    """
    values, sides, places = np.asarray(log_odds, float), np.asarray(masculine, bool), np.asarray(templates)
    beside = places[sides][:, None] == places[~sides]
    above = (1 + np.sign(values[sides][:, None] - values[~sides])) / 2 * beside

    def statistic(weights: Weights) -> NDArray[np.float64]:
        left, right = weights[:, sides], weights[:, ~sides]
        won, met = (np.einsum("ri,ri->r", left @ table, right) for table in (above, beside.astype(float)))
        areas: NDArray[np.float64] = np.divide(won, met, out=np.full(len(weights), np.nan), where=met > 0)
        return areas

    return statistic


def slope_of(y: ArrayLike, x: ArrayLike, groups: ArrayLike) -> Statistic:
    """b: the least-squares slope of `y` on `x` within groups, each of which has a level of its own (fixed effects)."""
    moments = _within(y, x, groups)

    def statistic(weights: Weights) -> NDArray[np.float64]:
        of = moments(weights)
        slopes: NDArray[np.float64] = np.divide(of[:, 0, 1], of[:, 1, 1], out=np.full(len(of), np.nan), where=of[:, 1, 1] > 0)
        return slopes

    return statistic


def correlation_of(y: ArrayLike, x: ArrayLike, groups: ArrayLike) -> Statistic:
    """r: the correlation of what `y` and `x` deviate by from the means of their groups; 0 where `y` does not deviate."""
    moments = _within(y, x, groups)

    def statistic(weights: Weights) -> NDArray[np.float64]:
        of = moments(weights)
        scale = np.sqrt(of[:, 0, 0] * of[:, 1, 1])
        unmoved = np.where(of[:, 1, 1] > 0, 0.0, np.nan)
        correlations: NDArray[np.float64] = np.divide(of[:, 0, 1], scale, out=unmoved, where=scale > 0)
        return correlations

    return statistic


def range_of(statistics: Sequence[Statistic]) -> Statistic:
    """The largest of several statistics minus the smallest."""
    return lambda weights: np.ptp([statistic(weights) for statistic in statistics], axis=0)


def difference_of(first: Statistic, second: Statistic) -> Statistic:
    """One statistic minus another of the same items."""
    return lambda weights: first(weights) - second(weights)


def contrast_weights(parameters: Mapping[str, float]) -> dict[str, float]:
    """The weight c of every size: the sum of c times a value is what a least-squares line gains from the least to the largest.

    c = (x - mean x) (max x - min x) / sum (x - mean x)^2, x the logarithm of `parameters`; of two sizes, larger minus smaller.
    """
    x = np.log(list(parameters.values()))
    centred = x - x.mean()
    return dict(zip(parameters, (centred * np.ptp(x) / (centred**2).sum()).tolist(), strict=True))


def _within(y: ArrayLike, x: ArrayLike, groups: ArrayLike) -> Moments:
    numbers = np.stack([np.asarray(y, float), np.asarray(x, float)])
    numbers -= numbers.mean(axis=1, keepdims=True)  # for precision: groups have means of their own
    members = (np.asarray(groups)[:, None] == np.unique(groups)).astype(float)

    def moments(weights: Weights) -> NDArray[np.float64]:
        mass = weights @ members
        share = np.divide(1, mass, out=np.zeros_like(mass), where=mass > 0)
        sums = (weights[:, None] * numbers) @ members
        whole = np.einsum("ri,vi,ui->rvu", weights, numbers, numbers)
        inner = whole - np.einsum("rvg,rug,rg->rvu", sums, sums, share)
        scale = np.sqrt(np.einsum("rvv->rv", whole))
        return np.where(np.abs(inner) > ROUNDING * scale[:, :, None] * scale[:, None, :], inner, 0.0)

    return moments
