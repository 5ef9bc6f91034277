"""Gender bias over training: the stereotype measure in both directions, and whether an intervention on pronouns took at all.

The share of sentence pairs in which the stereotyped sentence is likelier (CrowS-Pairs, doi:10.18653/v1/2020.emnlp-main.154) says
little by itself: a model that prefers the feminine sentence of every pair may score above one half. So both directions are kept
apart, beside the score of such a model and the log-odds of feminine pronouns in neutral contexts.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overtime import InputError
from overtime.files import require_finite, require_unique
from overtime.statistics import Statistic, Weights, among, bootstrap, bootstrap_mean, mean_of
from overtime.tables import (
    ALWAYS_FEMININE,
    FEMININE_SHARE,
    RELEASED_ARMS,
    RELEASED_STEPS,
    arm_table,
    interval_columns,
    interval_rows,
    with_arms,
)

CURVE_DIRECTIONS = ("all", "feminine", "masculine")


def measured_curves(
    kind: str, scores: pl.DataFrame, pairs: pl.DataFrame, log_odds: pl.DataFrame, resamples: int = 2000, seed: int = 0
) -> pl.DataFrame:
    """All measured rows of figures 1 and 2 for one `kind` of models: stereotype and pronoun curves, always-feminine reference."""
    curves = [stereotype_curve(scores, pairs, resamples, seed), pronoun_curve(log_odds, resamples, seed), always_feminine(pairs)]
    return pl.concat(curves, how="diagonal_relaxed").with_columns(kind=pl.lit(kind))


def checkpoint_curves(
    scores: pl.DataFrame, log_odds: pl.DataFrame, totals: Mapping[str, int], resamples: int = 2000, seed: int = 0
) -> pl.DataFrame:
    """Rows of figures 1 and 2 for published checkpoints.

    `scores` (pair, bias_type, direction, ll_more, ll_less) and `log_odds` (context, contrast, log_odds) also hold model, arm,
    seed and step; `totals` are the steps of each model's whole training. Only the gender pairs are used, each a unit of its own.
    """
    percent = pl.col("step") / pl.col("model").replace_strict(totals, return_dtype=pl.Int64) * 100
    gender, log_odds = (table.with_columns(percent=percent) for table in (scores.filter(bias_type="gender"), log_odds))
    pairs = gender.unique("pair", maintain_order=True).select("pair", "direction", template="pair")
    return measured_curves("published", gender.drop("direction"), pairs, log_odds, resamples, seed)


def mixed(pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs with the `weight` of each: those of a direction share its weight in the aggregate, `FEMININE_SHARE` or the rest.

    The aggregate is then the share of either direction in a fixed mix, which is no chance and not resampled.
    """
    share = pl.when(pl.col("direction") == "feminine").then(FEMININE_SHARE).otherwise(1 - FEMININE_SHARE)
    return pairs.with_columns(weight=share / pl.len().over("direction"))


def stereotype_curve(scores: pl.DataFrame, pairs: pl.DataFrame, resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """Rows of figures 1 and 2: the share of pairs with the stereotyped sentence likelier, for all pairs and by direction.

    `scores` holds model, arm, seed, step, percent, pair, ll_more, ll_less; `pairs` holds pair, direction, template, and a
    `weight` where directions are `mixed`. Seeds are averaged within a pair. The interval is a bootstrap over templates, since
    pairs of one template are not independent; the mix of directions is the same in all resamples. `n` counts pairs, `x` is
    percent of training.
    """
    require_finite(scores, "scores of pairs")
    require_unique(pairs, ["pair"], "pairs")
    columns = [name for name in ("pair", "direction", "template", "weight") if name in pairs.columns]
    known = scores.join(pairs.select(columns), on="pair", how="left")
    if known["template"].null_count():
        strange = known.filter(pl.col("template").is_null())["pair"][0]
        raise InputError(f"scores of pair {strange}, which is not among the {pairs.height} pairs; score this set of pairs again")
    shares = known.with_columns(value=(pl.col("ll_more") > pl.col("ll_less")).cast(pl.Float64))
    of_side = shares.drop("weight", strict=False)
    parts = {side: shares if side == "all" else of_side.filter(direction=side) for side in CURVE_DIRECTIONS}
    return pl.concat(
        _curves(part, ("pair", "template"), {"direction": side, "metric": "stereotype"}, resamples, seed)
        for side, part in parts.items()
        if part.height
    )


def pronoun_curve(log_odds: pl.DataFrame, resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """Rows of figures 1 and 2 for the manipulation check: mean log P(feminine) - log P(masculine) in neutral contexts, in nats.

    `log_odds` holds model, arm, seed, step, percent, context, contrast, log_odds. Contexts are the independent units.
    """
    require_finite(log_odds, "scores of pronouns")
    values = log_odds.rename({"log_odds": "value"})
    return _curves(values, ("context", "context"), {"direction": "all", "metric": "pronouns"}, resamples, seed)


def released_curve(released: pl.DataFrame, models: list[str], directions: pl.DataFrame) -> pl.DataFrame:
    """Rows of figures 1 and 2 from the authors' evaluations, with 95 % intervals from their standard errors.

    `released` is `released.read_crows_pairs`; `directions` (set, direction, pairs) counts the published pairs by the gender of
    the stereotype, from which the always-feminine reference of the revised set follows; unclassified pairs are left out of it.
    """
    normal = 1.96 * pl.col("stderr")
    points = released.filter(pl.col("model").is_in(models)).select(
        "model",
        "arm",
        "step",
        "code",
        "n",
        source=pl.lit("released"),
        series=pl.format("{} {}", "model", "arm"),
        x=pl.col("step") / RELEASED_STEPS * 100,
        y="pct_stereotype",
        lower=pl.col("pct_stereotype") - normal,
        upper=pl.col("pct_stereotype") + normal,
        direction=pl.lit("all"),
        metric=pl.lit("stereotype"),
    )
    count = dict(directions.filter(set="revised").select("direction", "pairs").iter_rows())
    known = count["feminine"] + count["masculine"]
    share = dict.fromkeys(("y", "lower", "upper"), count["feminine"] / known)
    reference = {"source": "released", "series": ALWAYS_FEMININE, "direction": "all", "metric": "stereotype", "n": known}
    table = pl.concat([points, pl.DataFrame([reference | share])], how="diagonal_relaxed")
    return with_arms(table.with_columns(kind=pl.lit("released")), arm_table(RELEASED_ARMS))


def always_feminine(pairs: pl.DataFrame) -> pl.DataFrame:
    """Reference rows: the stereotype share of a model that prefers the feminine sentence of every pair.

    Computed from the `direction` of the pairs; those without one (they differ in names or other words) are not counted in `n`.
    """
    weight = pl.col("weight") if "weight" in pairs.columns else pl.lit(1.0)
    feminine = (pl.col("direction") == "feminine").cast(pl.Float64)
    known = pairs.drop_nulls("direction").select("direction", y=feminine, weight=weight)
    sides = pl.concat([known.with_columns(direction=pl.lit("all")), known])
    mean = (pl.col("y") * pl.col("weight")).sum() / pl.col("weight").sum()
    shares = sides.group_by("direction", maintain_order=True).agg(y=mean, n=pl.len())
    names = {"source": "measured", "series": ALWAYS_FEMININE, "metric": "stereotype"}
    return shares.with_columns(lower=pl.col("y"), upper=pl.col("y"), **{key: pl.lit(value) for key, value in names.items()})


def _mixture(items: pl.DataFrame) -> Statistic:
    """The means of `value` within every direction, added up by its share of all `weight`."""
    direction, weight = items["direction"].to_numpy(), items["weight"].to_numpy()
    parts = [
        (weight[direction == side].sum() / weight.sum(), among(mean_of(part["value"]), np.flatnonzero(direction == side)))
        for (side,), part in items.group_by("direction", maintain_order=True)
    ]

    def statistic(weights: Weights) -> NDArray[np.float64]:
        mean: NDArray[np.float64] = np.sum([share * of_side(weights) for share, of_side in parts], axis=0)
        return mean

    return statistic


def _curves(items: pl.DataFrame, unit: tuple[str, str], names: dict[str, str], resamples: int, seed: int) -> pl.DataFrame:
    """One row per model, arm and step: the mean of `value` over seeds, then over items, with its interval over clusters.

    `unit` names the columns of item and cluster, `names` are columns that all rows have (direction, metric). Items with a
    `weight` are averaged within each `direction`, and the means by the weights.
    """
    item, cluster = unit
    require_unique(items, ["model", "arm", "seed", "step", item], "scores")
    point = ["model", "arm", "step", "percent"]
    seeds = items.group_by(point).agg(seeds=pl.col("seed").n_unique())
    mixture = ["direction", "weight"] if "weight" in items.columns else []
    means = (
        items.group_by(*point, *{item, cluster}, *mixture)  # one column where item and cluster are the same
        .agg(pl.mean("value"))
        .sort(*point, item)
        .join(seeds, on=point, maintain_order="left")
    )
    rows = []
    for (model, arm, step, percent), part in means.group_by(point, maintain_order=True):
        if mixture:
            interval = bootstrap(_mixture(part), part[cluster], resamples, seed).interval()
        else:
            interval = bootstrap_mean(part["value"], part[cluster], resamples, seed=seed)
        rows.append(
            {
                "source": "measured",
                "series": f"{model} {arm}",
                "x": percent,
                **interval_columns(interval),
                "n": part.height,
                "model": model,
                "arm": arm,
                "step": step,
                **names,
                "code": None,
                "seeds": part["seeds"][0],
            }
        )
    return interval_rows(rows).with_columns(pl.col("code").cast(pl.String))
