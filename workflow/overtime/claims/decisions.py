"""What verdicts take beside estimates: equivalence, Holm's adjustment, sample size."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from overtime.statistics import Estimate


def p_within(estimate: Estimate, lower: float, upper: float) -> float:
    """Equivalence by two one-sided tests (Schuirmann 1987): the larger p of "at most `lower`" and "at least `upper`".

    An infinite bound leaves the one-sided test of the other.
    """
    return max(estimate.p_above(lower), estimate.p_below(upper))


def p_outside(estimate: Estimate, lower: float, upper: float) -> float:
    """The smaller one-sided p of "at least `lower`" and "at most `upper`": small if the effect lies beyond either bound."""
    return min(estimate.p_below(lower), estimate.p_above(upper))


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Holm's step-down adjusted p values (Holm 1979), in the order given."""
    p = np.asarray(p_values, float)
    order = np.argsort(p)
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty(len(p))
    result[order] = np.minimum(adjusted, 1)
    return result


def needed_n(estimate: Estimate, bound: float, confidence: float = 0.95, power: float = 0.8) -> int | None:
    """Units needed to tell an effect of the estimated size from `bound` with this power; None if it lies on the bound.

    Normal approximation: the standard error shrinks with the square root of the number of units.
    """
    distance = abs(estimate.estimate - bound)
    if distance < 1e-9:
        return None
    z = ndtri((1 + confidence) / 2) + ndtri(power)
    return int(np.ceil(estimate.n * (z * estimate.standard_error / distance) ** 2))
