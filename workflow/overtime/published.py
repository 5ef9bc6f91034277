"""Figure rows of published models on the published tests: one checkpoint by category, or many over training.

Score tables of the tests are named `crows_pairs`, `winobias` and `pronouns_english` (the manipulation check on neutral contexts).
"""

import polars as pl

from overtime.bias import STEPS, always_feminine, measured_curves
from overtime.stats import bootstrap_mean
from overtime.suites import crows_pairs_result, winobias_result


def pretrained_table(scored: dict[str, dict[str, pl.DataFrame]], resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """Rows of fig1_pretrained: `model`, `test`, `group`, `side`, `metric`, y with interval, `n` (pairs, items or contexts).

    `scored` holds the three tables of each model; one is empty where its test could not be had. `group` is a bias_type, a
    WinoBias type or a contrast of pronouns, `side` the direction of a gender pair or the side of a sentence. The series
    "always feminine" is the score of a model that prefers the feminine sentence of every classified gender pair.
    """
    tables = []
    for model, tables_of_model in scored.items():
        names = [pl.lit("measured").alias("source"), pl.lit(model).alias("model"), pl.lit(None, pl.Float64).alias("x")]
        rows = _results(tables_of_model, resamples, seed).with_columns(*names)
        tables.append(rows.with_columns(series=pl.concat_str("model", "test", "group", "side", separator=" ")))
    pairs = next(iter(scored.values()))["crows_pairs"]
    if not pairs.is_empty():
        reference = always_feminine(pairs.filter(bias_type="gender")).rename({"direction": "side"})
        tables.append(reference.with_columns(test=pl.lit("crows_pairs"), group=pl.lit("gender")))
    return pl.concat(tables, how="diagonal_relaxed")


def checkpoint_curves(scores: pl.DataFrame, log_odds: pl.DataFrame, resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """Rows of figures 1 and 2 for published checkpoints, whose steps are counted on the scale of 143,000.

    `scores` (pair, bias_type, direction, ll_more, ll_less) and `log_odds` (context, contrast, log_odds) also hold model, arm,
    seed and step. Only the gender pairs are used, and each is a unit of its own.
    """
    gender, log_odds = (
        table.with_columns(percent=pl.col("step") / STEPS * 100) for table in (scores.filter(bias_type="gender"), log_odds)
    )
    pairs = gender.unique("pair", maintain_order=True).select("pair", "direction", template="pair")
    return measured_curves("published", gender.drop("direction"), pairs, log_odds, resamples, seed)


def _results(scored: dict[str, pl.DataFrame], resamples: int, seed: int) -> pl.DataFrame:
    """The rows of one model."""
    tables = []
    if not (pairs := scored["crows_pairs"]).is_empty():
        names = {"bias_type": "group", "direction": "side"}
        tables.append(crows_pairs_result(pairs, resamples, seed).rename(names).with_columns(test=pl.lit("crows_pairs")))
    if not (pairs := scored["winobias"]).is_empty():
        metric = pl.when(side="net").then(pl.lit("difference")).otherwise(pl.lit("accuracy"))
        sides = winobias_result(pairs, resamples, seed).rename({"type": "group"})
        tables.append(sides.with_columns(test=pl.lit("winobias"), metric=metric))
    contexts = scored["pronouns_english"]
    for group in ("all", *contexts["contrast"].unique(maintain_order=True)):
        values = (contexts if group == "all" else contexts.filter(contrast=group))["log_odds"]
        interval = bootstrap_mean(values, resamples=resamples, seed=seed)
        row = {"y": interval.estimate, "lower": interval.lower, "upper": interval.upper, "n": interval.n}
        names = {"test": "pronouns_english", "group": group, "side": "all", "metric": "log_odds"}
        tables.append(pl.DataFrame([names | row]))
    return pl.concat(tables, how="diagonal_relaxed")
