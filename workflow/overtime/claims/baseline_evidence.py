"""Case study 1 without interventions: do models mimic or exacerbate the association of their corpus, and do larger ones more?

Sizes count alike, as do the runs of one; statements on sizes are contrasts over all of them. The null world, in which no
occupation is associated with a gender, has the same templates, occupations and pairs: what a measure finds there comes from the
design alone. It is held against runs of the same sizes and seeds on the same pairs, whose noise is thus not counted: by itself a
null world of two runs could not show that it has nothing within any useful margin. It has one size, so it says what a
preference or an order would be by design, not what a contrast of sizes would.
"""

from collections.abc import Iterable

from overtime.claims.bias_measures import NULL, BiasMeasure, correlation, preference, ranking, slope
from overtime.claims.bias_scores import (
    PAIRS,
    ItemScores,
    baselines,
    beside_null,
    compare,
    last_checkpoints,
    of_world,
    repeated,
    suite_pair_scores,
)
from overtime.claims.bias_statistics import contrast_weights, difference_of, range_of
from overtime.claims.evidence import DIFFERENCE, MissingEvidence, Sample, Tables
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


def ranking_beyond_null(tables: Tables) -> Sample:
    """Measured: the chance that a masculine pair is ranked above a feminine one of its template, beyond the null world's."""
    return _beyond_null(tables, "area under the curve (masculine v feminine pairs)", ranking, DIFFERENCE)


def stereotype_beyond_null(tables: Tables) -> Sample:
    """Measured: the share of preferred stereotypes, both directions alike, beyond the null world's."""
    return _beyond_null(tables, "stereotype share", preference(0.5), DIFFERENCE)


def correlation_beyond_null(tables: Tables) -> Sample:
    """Measured: the correlation of log-odds with those of the corpus, beyond the null world's with the same."""
    return _beyond_null(tables, "correlation of log-odds with those of the corpus", correlation(tables), (-2.0, 2.0))


def _beyond_null(tables: Tables, quantity: str, measure: BiasMeasure, limits: tuple[float, float]) -> Sample:
    runs = beside_null(suite_pair_scores(tables), suite_pair_scores(tables, NULL))
    of_run = measure(runs.items)
    statistics = runs.statistics(lambda own, null: difference_of(of_run(own), of_run(null)))
    return Sample(f"{quantity} beyond that of the null world", runs.units, statistics, limits=limits, note=runs.note)


def _of_baselines(
    tables: Tables, quantity: str, measure: BiasMeasure, limits: tuple[float, float] | None, variant: str | None
) -> Sample:
    scores = suite_pair_scores(tables, variant)
    runs = baselines(scores)
    return Sample(quantity + scores.of, runs.units, runs.statistics(measure(runs.items)), limits=limits, note=runs.note)


def _over_sizes(tables: Tables, quantity: str, measure: BiasMeasure) -> Sample:
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
