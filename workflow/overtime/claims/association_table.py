"""Figure rows of case study 1 by the size of the model: what claims contrast or average over sizes, at each of them.

Scores that others released and those of the suite are rows of different sources: they share no corpus and no sentences.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from overtime.claims.baseline_evidence import association_correlation, association_slope
from overtime.claims.bias_statistics import DIRECTIONS, preference_of
from overtime.claims.evidence import SHARE, MissingEvidence, Sample, Tables
from overtime.claims.independent_evidence import independent_correlation, independent_slope
from overtime.claims.independent_margins import CORPORA, WINOBIAS, WINOGENDER, margins_by_size, towards_stereotype
from overtime.statistics import Statistic, mean_of
from overtime.tables import BY_OTHERS, RELEASED_PARAMETERS, figure_table, interval_columns, interval_rows


def preference_table(tables: Tables) -> pl.DataFrame:
    """Rows of figure 2: the share of WinoBias sentences whose stereotyped form is likelier, of every size that others scored.

    `direction` is the gender that the stereotype favours, or "all": both alike. `x` is billions of parameters, `n` counts
    sentences, `units` occupations, over which the intervals are; `corpus` is that of the model's training.
    """
    rows = []
    for corpus in CORPORA:
        items, margins = margins_by_size(tables, WINOBIAS, corpus)
        sides, occupations = items["direction"].to_numpy(), items["occupation"].to_numpy()
        for direction in ("all", *DIRECTIONS):
            chosen = np.isin(sides, DIRECTIONS if direction == "all" else [direction])
            runs = {model: [_preference(towards_stereotype(items, own)[chosen], sides[chosen])] for model, own in margins.items()}
            sample = Sample("", {"occupations": occupations[chosen]}, runs, limits=SHARE)
            names = {"source": BY_OTHERS, "kind": "others", "metric": WINOBIAS, "direction": direction, "corpus": corpus}
            rows += _at_each_size(sample, names)
    return _placed(interval_rows(rows), RELEASED_PARAMETERS)


def association_table(tables: Tables, parameters: Mapping[str, float]) -> pl.DataFrame:
    """Rows of fig2_association: slope and correlation of log-odds of gender with the association in the corpus, by size.

    `metric` says which; `sentences` are WINOGENDER or WINOBIAS for models that others scored, "suite" for the suite's own, which
    are left out where they do not allow it. Other columns as in `preference_table`; `seeds` counts training runs.
    """
    rows = []
    for sentences in (WINOGENDER, WINOBIAS):
        for corpus in CORPORA:
            for metric, measure in {"slope": independent_slope, "correlation": independent_correlation}.items():
                names = {"source": BY_OTHERS, "sentences": sentences, "corpus": corpus, "metric": metric}
                rows += _at_each_size(measure(tables, corpus=corpus, sentences=sentences), names)
    try:
        suite = {"slope": association_slope(tables), "correlation": association_correlation(tables)}
    except MissingEvidence:
        suite = {}
    for metric, sample in suite.items():
        rows += _at_each_size(sample, {"source": "measured", "sentences": "suite", "corpus": "suite", "metric": metric})
    return figure_table(
        _placed(interval_rows(rows), RELEASED_PARAMETERS | dict(parameters)), "sentences", "corpus", "metric", "x"
    )


def _preference(towards: np.ndarray, sides: np.ndarray) -> Statistic:
    if len(set(sides.tolist())) == len(DIRECTIONS):
        return preference_of(towards, sides, 0.5)
    return mean_of((towards > 0).astype(float))


def _at_each_size(sample: Sample, names: Mapping[str, str]) -> list[dict[str, object]]:
    """A row for each size: its estimate and interval, by itself."""
    occupations = sample.units["occupations"]
    rows: list[dict[str, object]] = []
    for model, runs in sample.runs.items():
        interval = replace(sample, runs={model: runs}, weights=None).estimate().interval()
        if sample.limits is not None:
            lower, upper = np.clip([interval.lower, interval.upper], *sample.limits).tolist()
            interval = replace(interval, lower=lower, upper=upper)
        series = f"{model} {names['corpus']} {names['metric']} {names.get('direction', names.get('sentences'))}"
        counts = {"n": len(occupations), "units": len(np.unique(occupations)), "seeds": len(runs)}
        rows.append({"series": series, "model": model, **names, **interval_columns(interval), **counts})
    return rows


def _placed(rows: pl.DataFrame, parameters: Mapping[str, float]) -> pl.DataFrame:
    """The rows with `x`, billions of parameters of their model."""
    return rows.with_columns(x=pl.col("model").replace_strict(dict(parameters), return_dtype=pl.Float64))
