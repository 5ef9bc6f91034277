"""Figure rows of published models on the published tests: one checkpoint by category, or many over training.

Score tables of the tests are named `crows_pairs`, `winobias` and `pronouns_english` (the manipulation check on neutral contexts).
"""

from itertools import product

import polars as pl

from overtime.bias.bias_table import always_feminine
from overtime.files import require_finite, require_unique
from overtime.statistics import bootstrap_mean
from overtime.tables import interval_columns, interval_rows

PAIR_DIRECTIONS = ("feminine", "masculine", "unclassified")  # of the stereotype of a gender pair


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
    require_finite(contexts, "scores of pronouns")
    for group in ("all", *contexts["contrast"].unique(maintain_order=True)):
        values = (contexts if group == "all" else contexts.filter(contrast=group))["log_odds"]
        interval = bootstrap_mean(values, resamples=resamples, seed=seed)
        names = {"test": "pronouns_english", "group": group, "side": "all", "metric": "log_odds"}
        tables.append(interval_rows([{**names, **interval_columns(interval)}]))
    return pl.concat(tables, how="diagonal_relaxed")


def crows_pairs_result(scored: pl.DataFrame, resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """The harness's two measures by bias_type ("all" for the whole set) and, for gender, by direction.

    `metric` is "stereotype" (share of pairs with ll_more > ll_less) or "likelihood_difference" (mean |ll_more - ll_less|, nats);
    y, lower, upper from a bootstrap over the `n` pairs.
    """
    require_finite(scored, "CrowS-Pairs scores")
    difference = pl.col("ll_more") - pl.col("ll_less")
    scored = scored.with_columns(stereotype=(difference > 0).cast(pl.Float64), likelihood_difference=difference.abs())
    parts = {("all", "all"): scored}
    # Kinds differ, so that no two frames are ever compared.
    parts |= {(kind, "all"): part for (kind,), part in sorted(scored.group_by("bias_type"))}
    gender = scored.filter(bias_type="gender").with_columns(pl.col("direction").fill_null("unclassified"))
    parts |= {("gender", side): gender.filter(direction=side) for side in PAIR_DIRECTIONS}
    rows = []
    for ((kind, side), part), metric in product(parts.items(), ("stereotype", "likelihood_difference")):
        if part.height:
            interval = bootstrap_mean(part[metric], resamples=resamples, seed=seed)
            rows.append({"bias_type": kind, "direction": side, "metric": metric, **interval_columns(interval)})
    return interval_rows(rows)


def winobias_result(scored: pl.DataFrame, resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """By type ("1", "2", "both") and side: accuracy on pro- and anti-stereotypical sentences, and "net", pro minus anti.

    y, lower, upper from a bootstrap over the `n` items, each of them in both its forms; net bias as in the released evaluations.
    """
    require_finite(scored, "WinoBias scores")
    require_unique(scored, ["type", "item", "side"], "WinoBias scores")
    right = scored.with_columns(pl.col("type").cast(pl.String), right=(pl.col("ll_more") > pl.col("ll_less")).cast(pl.Float64))
    items = right.pivot("side", index=["type", "item"], values="right").with_columns(net=pl.col("pro") - pl.col("anti"))
    rows = []
    for kind in ("1", "2", "both"):
        part = items if kind == "both" else items.filter(type=kind)
        for side in ("pro", "anti", "net"):
            interval = bootstrap_mean(part[side], resamples=resamples, seed=seed)
            rows.append({"type": kind, "side": side, **interval_columns(interval)})
    return interval_rows(rows)
