"""Gender bias over training: the stereotype measure in both directions, and whether an intervention on pronouns took at all.

The share of sentence pairs in which the stereotyped sentence is likelier (CrowS-Pairs, doi:10.18653/v1/2020.emnlp-main.154) says
little by itself: a model that prefers the feminine sentence of every pair may score above one half. So both directions are kept
apart, beside the score of such a model and the log-odds of feminine pronouns in neutral contexts.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overtime import InputError
from overtime.files import require_finite, require_unique
from overtime.jackknife import jackknife
from overtime.statistics import Statistic, Weights, among, mean_of
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
CROSSED = ("template", "occupation")  # units of generated pairs and contexts


def measured_curves(
    kind: str, scores: pl.DataFrame, pairs: pl.DataFrame, log_odds: pl.DataFrame, contexts: pl.DataFrame | None = None
) -> pl.DataFrame:
    """All measured rows of figures 1 and 2 for one `kind` of models: stereotype and pronoun curves, always-feminine reference."""
    curves = [stereotype_curve(scores, pairs), pronoun_curve(log_odds, contexts), always_feminine(pairs)]
    return pl.concat(curves, how="diagonal_relaxed").with_columns(kind=pl.lit(kind))


def checkpoint_curves(scores: pl.DataFrame, log_odds: pl.DataFrame, totals: Mapping[str, int]) -> pl.DataFrame:
    """Rows of figures 1 and 2 for published checkpoints.

    `scores` (pair, bias_type, direction, ll_more, ll_less) and `log_odds` (context, contrast, log_odds) also hold model, arm,
    seed and step; `totals` are the steps of each model's whole training. Only the gender pairs are used, each a unit of its own.
    """
    percent = pl.col("step") / pl.col("model").replace_strict(totals, return_dtype=pl.Int64) * 100
    gender, log_odds = (table.with_columns(percent=percent) for table in (scores.filter(bias_type="gender"), log_odds))
    pairs = gender.unique("pair", maintain_order=True).select("pair", "direction")
    return measured_curves("published", gender.drop("direction"), pairs, log_odds)


def mixed(pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs with the `weight` of each: those of a direction share its weight in the aggregate, `FEMININE_SHARE` or the rest.

    The aggregate is then the share of either direction in a fixed mix, which is no chance and not resampled.
    """
    share = pl.when(pl.col("direction") == "feminine").then(FEMININE_SHARE).otherwise(1 - FEMININE_SHARE)
    return pairs.with_columns(weight=share / pl.len().over("direction"))


def stereotype_curve(scores: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Rows of figures 1 and 2: the share of pairs with the stereotyped sentence likelier, for all pairs and by direction.

    `scores` holds model, arm, seed, step, percent, pair, ll_more, ll_less; `pairs` holds pair, direction, the units `CROSSED`
    (without them, each pair is one), and a `weight` where directions are `mixed`. Intervals are those of the verdicts, by
    `overtime.jackknife` over units and seeds; the mix of directions is no chance. `n` counts pairs, `x` is percent of training.
    """
    require_finite(scores, "scores of pairs")
    require_unique(pairs, ["pair"], "pairs")
    shares = scores.with_columns(value=(pl.col("ll_more") > pl.col("ll_less")).cast(pl.Float64))
    parts = {
        side: pairs if side == "all" else pairs.filter(direction=side).drop("weight", strict=False) for side in CURVE_DIRECTIONS
    }
    if (strange := scores.join(pairs, on="pair", how="anti")).height:
        which = f"scores of pair {strange['pair'][0]}, which is not among the {pairs.height} pairs"
        raise InputError(f"{which}; score this set of pairs again")
    return pl.concat(
        _curves(shares, part, "pair", {"direction": side, "metric": "stereotype"}, (0.0, 1.0))
        for side, part in parts.items()
        if part.height
    )


def pronoun_curve(log_odds: pl.DataFrame, contexts: pl.DataFrame | None = None) -> pl.DataFrame:
    """Rows of figures 1 and 2 for the manipulation check: mean log P(feminine) - log P(masculine) in neutral contexts, in nats.

    `log_odds` holds model, arm, seed, step, percent, context, contrast, log_odds; `contexts` the units `CROSSED` of each
    context, without which each is one.
    """
    require_finite(log_odds, "scores of pronouns")
    items = log_odds.select("context").unique() if contexts is None else contexts
    values = log_odds.rename({"log_odds": "value"})
    return _curves(values, items, "context", {"direction": "all", "metric": "pronouns"}, None)


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


def _share(items: pl.DataFrame) -> Callable[[pl.Series], Statistic]:
    """The mean of the items' values; where they have a `weight`, the means within directions, added up by their share of it."""
    if "weight" not in items.columns:
        return mean_of
    direction, weight = items["direction"].to_numpy(), items["weight"].to_numpy()
    sides = [(np.flatnonzero(direction == side), weight[direction == side].sum() / weight.sum()) for side in np.unique(direction)]

    def mixture(values: pl.Series) -> Statistic:
        parts = [(share, among(mean_of(values.gather(rows)), rows)) for rows, share in sides]

        def statistic(weights: Weights) -> NDArray[np.float64]:
            mean: NDArray[np.float64] = np.sum([share * of_side(weights) for share, of_side in parts], axis=0)
            return mean

        return statistic

    return mixture


def _curves(
    scores: pl.DataFrame, items: pl.DataFrame, item: str, names: dict[str, str], limits: tuple[float, float] | None
) -> pl.DataFrame:
    """One row per model, arm and step: the mean of `value` over items and seeds, with its interval over units and seeds.

    `item` names the column that scores and items share, `names` are columns that all rows have (direction, metric).
    """
    require_unique(scores, ["model", "arm", "seed", "step", item], "scores")
    units = [items.sort(item)[name] for name in CROSSED if name in items.columns] or [items.sort(item)[item]]
    value_of, rows = _share(items.sort(item)), []
    known = scores.join(items.select(item), on=item).sort("model", "arm", "step", "seed", item)
    for (model, arm, step, percent), part in known.group_by("model", "arm", "step", "percent", maintain_order=True):
        runs = part.partition_by("seed", maintain_order=True)
        if lacking := [run["seed"][0] for run in runs if run.height != items.height]:
            raise InputError(f"{model} {arm} seed {lacking[0]}: step {step} was not scored on all {items.height} {item}s")
        estimate = jackknife({str(model): [value_of(run["value"]) for run in runs]}, units, limits=limits)
        interval = estimate.interval()
        if limits is not None:
            lower, upper = np.clip([interval.lower, interval.upper], *limits).tolist()
            interval = replace(interval, lower=lower, upper=upper)
        identity = {"source": "measured", "series": f"{model} {arm}", "model": model, "arm": arm, "step": step, "code": None}
        rows.append({"x": percent, **interval_columns(interval), "n": items.height, "seeds": len(runs)} | identity | names)
    return interval_rows(rows).with_columns(pl.col("code").cast(pl.String))
