"""From evidence to a verdict: the estimate, the rule, equivalence, Holm's adjustment, sample size."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from overtime.claims.evidence import Aggregate, Sample
from overtime.jackknife import FEWEST_LEVELS, Student
from overtime.statistics import Interval, Normal

Region = tuple[float, float]
Estimate = Student | Normal
UPHELD, CONTRADICTED, UNDECIDED, UNTESTED = "upheld", "contradicted", "undecided", "untested"
NOT_SPECIFIC = "not specific"  # the control shows the same without the cause claimed


def verdict(region: Region, interval: Interval) -> str:
    """Compare a confidence interval with the region where the claim holds; NaN bounds decide nothing."""
    low, high = region
    if low < interval.lower and interval.upper < high:
        return UPHELD
    return CONTRADICTED if interval.upper < low or high < interval.lower else UNDECIDED


def decide(evidence: Sample | Aggregate, region: Region) -> str:
    """The verdict of one test; too few units to tell leave it untested."""
    estimate = evidence.estimate()
    return UNTESTED if estimate.n < FEWEST_LEVELS else verdict(region, estimate.interval())


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


def needed_n(estimate: Estimate, region: Region, confidence: float = 0.95, power: float = 0.8) -> int | None:
    """Units needed to tell an effect of the estimated size from the nearer bound with this power; None if it lies on the bound.

    Normal approximation: the standard error shrinks with the square root of the number of units.
    """
    distance = min(abs(estimate.estimate - bound) for bound in region if math.isfinite(bound))
    if distance < 1e-9:
        return None
    z = ndtri((1 + confidence) / 2) + ndtri(power)
    return max(FEWEST_LEVELS, int(np.ceil(estimate.n * (z * estimate.standard_error / distance) ** 2)))
