"""Case study 1: does the swap of pronouns late in training lower the stereotype measure, and are larger models more biased?

Measured comparisons are paired: the same sentence pairs scored by both sides, averaged over seeds and then over models, with the
sentence template as the unit. Their intervals are over templates, for the runs at hand and one set of pairs. Released comparisons
rest on aggregates.
"""

import numpy as np
import polars as pl

from overtime.evidence.tables import (
    DIFFERENCE,
    Aggregate,
    MissingEvidence,
    Record,
    Sample,
    Tables,
    arm,
    array,
    final,
    over_runs,
    paired,
    size,
)
from overtime.weighted import Weights, among, mean_of

LATE_BASELINE = 113_000  # the last four evaluations that every released baseline has, 10,000 steps apart
LATE_INTERVENTION = 134_000  # the 7 % arm's first


def _stereotypes(tables: Tables) -> pl.DataFrame:
    """Final share of stereotypical preferences per run and pair, with the pair's template and direction."""
    scores = final(tables.read("pair_scores", "model", "arm", "seed", "step", "pair", "ll_more", "ll_less"))
    pairs = tables.read("pairs", "pair", "template", "direction").select("pair", "template", "direction")
    return scores.with_columns((pl.col("ll_more") > pl.col("ll_less")).cast(pl.Float64).alias("share")).join(pairs, on="pair")


def _both_arms(scores: pl.DataFrame, name: str, item: list[str], value: str) -> pl.DataFrame:
    """`value` of the baseline and of arm `name` (column `other`) per item, over the models that have both."""
    changed = arm(scores, name)
    base = arm(scores, "baseline").join(changed.select("model").unique(), on="model", how="semi")
    changed = changed.join(base.select("model").unique(), on="model", how="semi")
    if not len(base):
        raise MissingEvidence(f"no model has both a baseline and an arm {name}")
    return paired(over_runs(base, item, value), over_runs(changed, item, value), item, value)


def swap_change(tables: Tables) -> Sample:
    """Measured: final stereotype share, baseline minus the 14 % swap, paired by sentence pair, resampled by template.

    The aggregate over both directions, as in the talk's figures; `swap_both_directions` looks inside it.
    """
    both = _both_arms(_stereotypes(tables), "swap14", ["template", "pair"], "share")
    change = mean_of(array(both, "share") - array(both, "other"))
    return Sample("stereotype share, baseline minus 14 % swap", "templates", change, both["template"].to_numpy(), DIFFERENCE)


def _both_directions(tables: Tables, name: str, quantity: str) -> Sample:
    both = _both_arms(_stereotypes(tables), name, ["direction", "template", "pair"], "share")
    sides = [np.flatnonzero(both["direction"] == side) for side in ("feminine", "masculine")]
    if not all(len(side) for side in sides):
        raise MissingEvidence("the pairs have one direction only")
    before, after = ([among(mean_of(array(both, column)[side]), side) for side in sides] for column in ("share", "other"))

    def smaller_gain(weights: Weights) -> np.ndarray:
        gains = [abs(old(weights) - 0.5) - abs(new(weights) - 0.5) for old, new in zip(before, after, strict=True)]
        return np.minimum(*gains)

    return Sample(quantity, "templates", smaller_gain, both["template"].to_numpy(), DIFFERENCE)


def swap_both_directions(tables: Tables) -> Sample:
    """Measured: how far the 14 % swap brings the stereotype share towards one half, in the direction where it does so least.

    A model that always prefers the feminine variant scores near the mix of the pair set whatever it believes, so a debiasing must
    move the pairs with a feminine and those with a masculine stereotype towards 50 %, each by itself.
    """
    return _both_directions(tables, "swap14", "smaller of the two directions' approach to 50 % under the 14 % swap")


def augmentation_both_directions(tables: Tables) -> Sample:
    """Measured: as `swap_both_directions`, for two-way counterfactual augmentation; shows that the measure can succeed."""
    return _both_directions(tables, "cda14", "smaller of the two directions' approach to 50 % under two-way augmentation")


def pronoun_shift(tables: Tables) -> Sample:
    """Measured manipulation check: final log-odds of feminine against masculine pronouns in neutral contexts, swap - baseline."""
    scores = final(tables.read("pronoun_scores", "model", "arm", "seed", "step", "context", "contrast", "log_odds"))
    both = _both_arms(scores, "swap14", ["context", "contrast"], "log_odds")
    shift = mean_of(array(both, "other") - array(both, "log_odds"))
    return Sample("log-odds of feminine pronouns, 14 % swap minus baseline", "contexts", shift, both["context"].to_numpy())


def size_gap(tables: Tables) -> Sample:
    """Measured: final stereotype share of the largest minus the smallest baseline, paired by sentence pair, by template."""
    base = arm(_stereotypes(tables), "baseline")
    models = sorted(base["model"].unique(), key=size)
    if len(models) < 2:
        raise MissingEvidence("one size of model only")
    small, large = (
        over_runs(base.filter(pl.col("model") == name), ["template", "pair"], "share") for name in (models[0], models[-1])
    )
    both = paired(large, small, ["template", "pair"], "share")
    gap = mean_of(array(both, "share") - array(both, "other"))
    return Sample(f"stereotype share, {models[-1]} minus {models[0]}", "templates", gap, both["template"].to_numpy(), DIFFERENCE)


def _late_means(tables: Tables) -> pl.DataFrame:
    """Late mean per released model and arm under the evaluation code that measured most points, with one evaluation's error.

    The checkpoints of a run share weights and sentence pairs: their mean is a steadier estimate than one of them, but the error
    from having 320 pairs does not shrink, so the standard error stays that of one evaluation.
    """
    released = tables.read("released_crows_pairs", "model", "arm", "step", "pct_stereotype", "stderr", "n", "code")
    code = released["code"].value_counts().sort("count", "code")["code"][-1]
    late = pl.when(pl.col("arm") == "baseline").then(LATE_BASELINE).otherwise(LATE_INTERVENTION)
    rows = released.filter(pl.col("code") == code, pl.col("step") >= late)
    return rows.group_by("model", "arm").agg(pl.mean("pct_stereotype", "stderr"), pl.max("n")).sort("model")


def released_swap_change(tables: Tables) -> Aggregate:
    """Released: late stereotype share, baseline minus 7 % arm, mean over the models that have both under one evaluation code.

    Within a model the two errors are added as if independent; shared pairs make the true one smaller. Across models they are
    averaged as if fully dependent, because all were scored on the same pairs. Both choices widen the interval.
    """
    late = _late_means(tables)
    base, swapped = (late.filter(pl.col("arm") == name) for name in ("baseline", "swap7"))
    both = base.join(swapped, on="model", suffix="_other", maintain_order="left")
    if not len(both):
        raise MissingEvidence("no released model has late points of both arms under one evaluation code")
    change = (both["pct_stereotype"] - both["pct_stereotype_other"]).mean()
    error = (both["stderr"] ** 2 + both["stderr_other"] ** 2).sqrt().mean()
    return Aggregate("late stereotype share, baseline minus 7 % swap, one code", "pairs", change, error, both["n"].min())


def released_size_gap(tables: Tables) -> Aggregate:
    """Released: late stereotype share of the largest minus the smallest baseline, under one evaluation code.

    Two models are compared rather than a trend over four sizes tested: four points cannot reach significance by rank. The errors
    are added as if independent; both models were scored on the same pairs, which makes the true error smaller.
    """
    base = _late_means(tables).filter(pl.col("arm") == "baseline")
    small, large = (sorted(base.to_dicts(), key=lambda row: size(row["model"]))[position] for position in (0, -1))
    gap, error = large["pct_stereotype"] - small["pct_stereotype"], float(np.hypot(large["stderr"], small["stderr"]))
    return Aggregate(f"late stereotype share, {large['model']} minus {small['model']}, one code", "pairs", gap, error, large["n"])


def released_share(tables: Tables) -> Record:
    """Released: is there an arm whose last 14 % of training data were swapped?"""
    released = tables.read("released_crows_pairs", "arm", "step").filter(pl.col("arm") != "baseline")
    first = released.group_by("arm").agg(pl.min("step")).sort("step", descending=True)
    listed = ", ".join(f"{name.removeprefix('swap')} % (first evaluated at step {step:,})" for name, step in first.iter_rows())
    return Record("swap14" in first["arm"], f"the released interventions swap the last {listed}", len(first), "arms")


def released_codes(tables: Tables) -> Record:
    """Released: how many evaluation codes measured the points of the curves?"""
    codes = tables.read("released_crows_pairs", "code", "likelihood_difference").group_by("code")
    table = codes.agg(pl.len(), pl.min("likelihood_difference").alias("low"), pl.max("likelihood_difference").alias("high"))
    listed = "; ".join(
        f"{code} measured {n} (likelihood difference {low:.1f} to {high:.1f})"
        for code, n, low, high in table.sort("len", descending=True).iter_rows()
    )
    return Record(len(table) == 1, f"of {table['len'].sum()} points {listed}", table["len"].sum(), "points")


COMPARISONS = (
    swap_change,
    swap_both_directions,
    augmentation_both_directions,
    pronoun_shift,
    size_gap,
    released_swap_change,
    released_size_gap,
    released_share,
    released_codes,
)
