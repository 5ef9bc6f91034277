"""Figure rows of models that are trained further: both measures over the tokens read, and how the texts differ at the end."""

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overtime.bias.bias_table import CURVE_DIRECTIONS, always_feminine, pronoun_curve, stereotype_curve
from overtime.jackknife import jackknife
from overtime.statistics import mean_of
from overtime.tables import (
    ArmSettings,
    arm_table,
    figure_table,
    interval_columns,
    interval_rows,
    last_step,
    with_arms,
    with_parameters,
)

ANOTHER = "stretch"  # the arm of A/A: the original on another stretch of the text
Values = Mapping[tuple[str, int], NDArray[np.float64]]  # (arm, stretch) -> value of every item


def placed(scored: pl.DataFrame, began: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Scores of runs and of what they begin with as `model` (the family), `arm` (the text), `seed` (the stretch) and `tokens`.

    What a family begins with is the step 0 of each of its runs. Empty where the test could not be had.
    """
    if scored.is_empty() or began.is_empty():
        return pl.DataFrame()
    arm = pl.when(text="original").then(pl.lit("baseline")).otherwise("text")
    known = runs.select("run", "family", arm=arm, seed="stretch")
    rows = [scored.join(known, on="run"), began.join(known, on="family")]
    return pl.concat([table.rename({"family": "model"}) for table in rows], how="diagonal_relaxed")


def continued_table(pairs: pl.DataFrame, pronouns: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """The table of `fig1_continued` from scores as `placed`: `x` is tokens, `n` counts pairs or contexts, `seeds` stretches.

    `metric` is stereotype or pronouns; `kind` is curve, or difference for the end of each text minus that of the original on the
    same stretch, with the arm "stretch" for every stretch of the original minus the mean of those before it.
    """
    tables = [_labelled(rows, runs) for rows in _rows(pairs, pronouns)]
    table = pl.concat(tables, how="diagonal_relaxed")
    sizes = dict(runs.select("family", "parameters").iter_rows())
    return figure_table(with_parameters(table, sizes), "model", "kind", "metric", "direction", "arm", "x")


def _rows(pairs: pl.DataFrame, pronouns: pl.DataFrame) -> Iterator[pl.DataFrame]:
    log_odds = pronouns.rename({"log_odds": "value"})
    yield pronoun_curve(pronouns.with_columns(percent="tokens")).with_columns(kind=pl.lit("curve"))
    yield _differences(log_odds, "context", {"metric": "pronouns", "direction": "all"})
    if pairs.is_empty():
        return
    known = pairs.unique("pair", maintain_order=True).select("pair", "direction")
    yield stereotype_curve(pairs.drop("direction").with_columns(percent="tokens"), known).with_columns(kind=pl.lit("curve"))
    yield always_feminine(known).with_columns(kind=pl.lit("curve"))
    shares = pairs.with_columns(value=(pl.col("ll_more") > pl.col("ll_less")).cast(pl.Float64))
    for side in CURVE_DIRECTIONS:
        own = shares if side == "all" else shares.filter(direction=side)
        if own.height:
            yield _differences(own, "pair", {"metric": "stereotype", "direction": side})


def _differences(scores: pl.DataFrame, item: str, what: Mapping[str, str]) -> pl.DataFrame:
    """Rows of the differences at the last step, of each model; the units are items, the runs stretches."""
    rows = []
    for (model,), own in last_step(scores).sort("model", "arm", "seed", item).group_by("model", maintain_order=True):
        ends = {
            (str(arm), int(seed)): part["value"].to_numpy()
            for (arm, seed), part in own.group_by("arm", "seed", maintain_order=True)
        }
        tokens = float(own["tokens"].to_numpy().max())
        for arm, differences in _contrasts(ends).items():
            units = [np.arange(len(differences[0]))]
            estimate = jackknife({str(model): [mean_of(one) for one in differences]}, units)
            place = {"source": "measured", "series": f"{model} {arm}", "model": model, "arm": arm, "x": tokens}
            names = {"seeds": len(differences), "kind": "difference", **what}
            rows.append(place | interval_columns(estimate.interval()) | names)
    return interval_rows(rows) if rows else pl.DataFrame()


def _contrasts(ends: Values) -> dict[str, list[NDArray[np.float64]]]:
    """By arm, what its items differ by from the original on the same stretch; and each original from those before it."""
    originals = [values for (arm, _), values in ends.items() if arm == "baseline"]
    found: dict[str, list[NDArray[np.float64]]] = {}
    for (arm, stretch), values in ends.items():
        if arm != "baseline" and ("baseline", stretch) in ends:
            found.setdefault(arm, []).append(values - ends["baseline", stretch])
    apart = [values - np.mean(originals[:place], axis=0) for place, values in enumerate(originals) if place]
    return found | ({ANOTHER: apart} if apart else {})


def _labelled(rows: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """The rows with what the text of each is, by the settings of its family."""
    if "model" not in rows.columns:
        return rows
    parts = []
    for (family,), own in rows.group_by("model", maintain_order=True):
        rewritten = runs.filter(family=family).drop_nulls("rewrite").unique("text", maintain_order=True)
        arms = {
            text: ArmSettings(rewrite=way, probability=share)
            for text, way, share in rewritten.select("text", "rewrite", "probability").iter_rows()
        }
        parts.append(with_arms(own, arm_table(arms)))
    names, short = {"baseline": "original text", ANOTHER: "original, another stretch"}, {"baseline": "original", ANOTHER: "A/A"}
    return pl.concat(parts).with_columns(pl.col("label").replace(names), pl.col("short_label").replace(short))
