"""The interval of a share whose items come in clusters, such as the questions about one entity."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit

from overtime.statistics import Interval, wilson


def clustered_share(values: ArrayLike, clusters: ArrayLike, confidence: float = 0.95) -> Interval:
    """Mean of `values` in [0, 1] with Wilson's interval for as many independent trials as they are worth; `n` counts clusters.

    They are worth p (1 - p) / V trials, where V is the delete-one jackknife variance over clusters (as Korn and Graubard 1998,
    Survey Methodology 24:193, do for the exact interval): no more than there are values, and no fewer than if each cluster were
    all right or all wrong, n^2 / sum of squared sizes, which also holds where all values are equal. Student's quantile with
    clusters - 1 degrees of freedom stands for the normal one. Where each value is a cluster of its own it is Wilson's interval;
    a single larger cluster says nothing.
    """
    members = np.unique(np.asarray(clusters), return_inverse=True)[1]
    sizes, sums = np.bincount(members), np.bincount(members, np.asarray(values, float))
    n, groups = len(members), len(sizes)
    share = float(np.clip(sums.sum() / n, 0, 1))  # a sum of floats may pass the bound in its last digit
    if n == groups:
        return wilson(share * n, n, confidence)
    if groups == 1:
        return Interval(share, 0.0, 1.0, 1)
    left_out = (sums.sum() - sums) / (n - sizes)
    variance = (groups - 1) / groups * ((left_out - left_out.mean()) ** 2).sum()
    fewest = n**2 / (sizes**2).sum()
    worth = fewest if share in (0, 1) else np.clip(share * (1 - share) / max(variance, 1e-300), fewest, n)
    tail = (1 + confidence) / 2
    # In Wilson's formula a wider quantile is the same as fewer trials.
    trials = float(worth * (ndtri(tail) / stdtrit(groups - 1, tail)) ** 2)
    return replace(wilson(share * trials, trials, confidence), n=groups)
