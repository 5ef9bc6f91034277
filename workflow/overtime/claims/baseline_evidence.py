"""Case study 1 without interventions: do models mimic or exacerbate the association of their corpus, and do larger ones more?

Sizes count alike, as do the runs of one; statements on sizes are contrasts over all of them. The null world, in which no
occupation is associated with a gender, has the same templates, occupations and pairs: what a measure finds there comes from the
design alone. It has one size, so it says what a preference or an order would be by design, not what a contrast of sizes would.
"""

from collections.abc import Iterable

import numpy as np
import polars as pl

from overtime.claims.bias_measures import NULL, Measure, OfRun, correlation, preference, ranking, slope
from overtime.claims.bias_scores import (
    PAIRS,
    ItemScores,
    baselines,
    compare,
    last_checkpoints,
    of_world,
    repeated,
    suite_pair_scores,
)
from overtime.claims.bias_statistics import contrast_weights, difference_of, range_of
from overtime.claims.evidence import SHARE, MissingEvidence, Sample, Tables
from overtime.tables import by_size

CHECKPOINTS = 3  # over which the association must have settled
SIZES = 3  # with two runs each, before sizes are compared


def association_correlation(tables: Tables, *, variant: str | None = None) -> Sample:
    """Measured: correlation of a baseline's final log-odds of gender with those of its corpus, within templates."""
    measure, limits = correlation(tables, variant), (-1.0, 1.0)
    return _of_baselines(tables, "correlation of log-odds with those of the corpus", measure, limits, variant)


def association_slope(tables: Tables, *, variant: str | None = None) -> Sample:
    """Measured: slope of a baseline's final log-odds of gender on those of its corpus, within templates; 1 gives them back."""
    return _of_baselines(tables, "slope of log-odds on those of the corpus", slope(tables, variant), None, variant)


def association_drift(tables: Tables, *, variant: str | None = None) -> Sample:
    """Measured: by how much `association_slope` differs over the last three checkpoints of a run, the largest minus the smallest.

    A slope that still grows says nothing about where it ends. The range of a run is never negative, and noise adds to it.
    """
    runs = last_checkpoints(tables, variant, CHECKPOINTS)
    of_run = slope(tables, variant)(runs.items)
    statistics = runs.statistics(lambda *scores: range_of([of_run(values) for values in scores]))
    quantity = f"range of the slope of log-odds on those of the corpus over {CHECKPOINTS} checkpoints{of_world(variant)}"
    return Sample(quantity, runs.units, statistics, note=runs.note)


def size_contrast(tables: Tables) -> Sample:
    """Measured: gain in the final share of preferred stereotypes, both directions alike, from the smallest to the largest size.

    It is that of a line over the logarithm of the parameters, to which all sizes contribute.
    """
    return _over_sizes(tables, "gain in stereotype share from the smallest to the largest size", preference(0.5))


def size_ranking(tables: Tables) -> Sample:
    """Measured: as `size_contrast`, for the chance that a masculine pair is ranked above a feminine one of its template."""
    return _over_sizes(tables, "gain in area under the curve from the smallest to the largest size", ranking)


def null_ranking(tables: Tables) -> Sample:
    """Measured, null world: the chance that a masculine pair is ranked above a feminine one; one half but for the design."""
    return _of_baselines(tables, "area under the curve (masculine v feminine pairs)", ranking, SHARE, NULL)


def null_stereotype(tables: Tables) -> Sample:
    """Measured, null world: the share of preferred stereotypes, both directions alike, minus one half."""
    return _of_baselines(tables, "stereotype share minus one half", _beyond_half, (-0.5, 0.5), NULL)


def null_correlation(tables: Tables) -> Sample:
    """Measured, null world: the correlation of log-odds with those of the corpus that has an association."""
    return association_correlation(tables, variant=NULL)


def _beyond_half(items: pl.DataFrame) -> OfRun:
    of_run = preference(0.5)(items)
    return lambda scores: difference_of(of_run(scores), lambda weights: np.full(len(weights), 0.5))


def _of_baselines(
    tables: Tables, quantity: str, measure: Measure, limits: tuple[float, float] | None, variant: str | None
) -> Sample:
    scores = suite_pair_scores(tables, variant)
    runs = baselines(scores)
    return Sample(quantity + scores.of, runs.units, runs.statistics(measure(runs.items)), limits=limits, note=runs.note)


def _over_sizes(tables: Tables, quantity: str, measure: Measure) -> Sample:
    def build(scores: ItemScores) -> Sample:
        runs = repeated(baselines(scores), SIZES)
        statistics = runs.statistics(measure(runs.items))
        weights = contrast_weights(_parameters(tables, statistics))
        reach = sum(map(abs, weights.values())) / 2  # the most: 1 in all sizes of positive weight, 0 in the others
        return Sample(quantity + scores.of, runs.units, statistics, weights, (-reach, reach), runs.note)

    return compare(tables, PAIRS, None, build)


def _parameters(tables: Tables, models: Iterable[str]) -> dict[str, float]:
    declared = dict(tables.read("models", "model", "parameters").select("model", "parameters").iter_rows())
    parameters = {model: declared[model] for model in by_size(models, declared)}
    if len(set(parameters.values())) < 2:
        raise MissingEvidence("all models are of one size")
    return parameters
