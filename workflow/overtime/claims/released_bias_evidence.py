"""Case study 1 in what the authors released: evaluations of which only aggregates are known, and the code of the intervention."""

from typing import cast

import numpy as np
import polars as pl

from overtime.claims.bias_statistics import contrast_weights
from overtime.claims.evidence import Aggregate, MissingEvidence, Record, Tables
from overtime.tables import RELEASED_ARMS, RELEASED_PARAMETERS, TALKS_SHARE, arm_table, by_size, with_arms

LATE_BASELINE = 113_000  # the last four evaluations that every released baseline has, 10,000 steps apart
FEWEST_SIZES = 3  # that a line is drawn through
ALL = 0.95  # of the masculine references, at least
PRONOUNS = ("he", "him", "his", "himself")


def _late_means(tables: Tables) -> pl.DataFrame:
    """Late mean per released model and arm under the evaluation code that measured most points, with one evaluation's error.

    The checkpoints of a run share weights and sentence pairs: their mean is a steadier estimate than one of them, but the error
    from having 320 pairs does not shrink, so the standard error stays that of one evaluation.
    """
    released = tables.read("released_crows_pairs", "model", "arm", "step", "pct_stereotype", "stderr", "n", "code")
    code = released["code"].value_counts().sort("count", "code")["code"][-1]
    # Interventions are late from the first evaluation of the shortest one on.
    begin = _first_steps(released)["step"].max()
    late = pl.when(pl.col("arm") == "baseline").then(LATE_BASELINE).otherwise(begin)
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
    change = cast(float, (both["pct_stereotype"] - both["pct_stereotype_other"]).mean())
    error = cast(float, (both["stderr"] ** 2 + both["stderr_other"] ** 2).sqrt().mean())
    fewest = cast(int, both["n"].min())
    return Aggregate("late stereotype share, baseline minus 7 % swap, one code", "pairs", change, error, fewest)


def released_size_contrast(tables: Tables) -> Aggregate:
    """Released: gain in the late stereotype share from the smallest to the largest baseline, along a line over all of them.

    The line is over the logarithm of the parameters. Errors are added as if independent, with the squares of the line's weights;
    all models were scored on the same pairs, which makes the true error smaller.
    """
    base = _late_means(tables).filter(pl.col("arm") == "baseline")
    if len(base) < FEWEST_SIZES:
        raise MissingEvidence(f"{len(base)} released baselines have late points under one evaluation code; needs {FEWEST_SIZES}")
    by_size(base["model"], RELEASED_PARAMETERS)  # for its error
    weights = np.array(list(contrast_weights({model: RELEASED_PARAMETERS[model] for model in base["model"]}).values()))
    gain = float(weights @ base["pct_stereotype"].to_numpy())
    error = float(np.sqrt(weights**2 @ base["stderr"].to_numpy() ** 2))
    quantity = f"gain in late stereotype share from the smallest to the largest of {len(base)} sizes, one code"
    return Aggregate(quantity, "pairs", gain, error, cast(int, base["n"].min()))


def released_share(tables: Tables) -> Record:
    """Released: is there an arm whose last 14 % of training data were swapped?"""
    first = with_arms(_first_steps(tables.read("released_crows_pairs", "arm", "step")), arm_table(RELEASED_ARMS))
    rows = first.sort("step", "arm", descending=True).select("share", "step").iter_rows()
    listed = ", ".join(f"{100 * share:g} % (first evaluated at step {step:,})" for share, step in rows)
    return Record(TALKS_SHARE in first["share"], f"the released interventions swap the last {listed}", len(first), "arms")


def _first_steps(released: pl.DataFrame) -> pl.DataFrame:
    """The first step at which each intervention was evaluated: `arm`, `step`."""
    return released.filter(pl.col("arm") != "baseline").group_by("arm").agg(pl.min("step"))


def released_codes(tables: Tables) -> Record:
    """Released: how many evaluation codes measured the points of the curves?"""
    codes = tables.read("released_crows_pairs", "code", "likelihood_difference").group_by("code")
    table = codes.agg(pl.len(), pl.min("likelihood_difference").alias("low"), pl.max("likelihood_difference").alias("high"))
    listed = "; ".join(
        f"{code} measured {n} (likelihood difference {low:.1f} to {high:.1f})"
        for code, n, low, high in table.sort("len", "code", descending=[True, False]).iter_rows()
    )
    points = cast(int, table["len"].sum())
    return Record(len(table) == 1, f"of {points} points {listed}", points, "points")


def all_references(tables: Tables, *, text: str, words: str = "all") -> Record:
    """Do the released six strings change all masculine references of a text, at least 95 in 100?

    text: which of the texts at hand; words: all, or pronouns alone, the narrowest reading.
    """
    counts = tables.read("references", "text", "word", "masculine", "released").filter(pl.col("text") == text)
    unit = "masculine words"
    if words == "pronouns":
        counts, unit = counts.filter(pl.col("word").is_in(PRONOUNS)), "masculine pronouns"
    if counts.is_empty():
        raise MissingEvidence(f"{text} is not at hand, or has no {unit}")
    pronouns = counts.filter(pl.col("word").is_in(PRONOUNS))
    left = counts.with_columns(left=pl.col("masculine") - pl.col("released")).filter(pl.col("left") > 0)
    missed = left.sort("left", "word", descending=[True, False])["word"].head(3)
    total = cast(int, counts["masculine"].sum())
    facts = f"the released strings change {_changed(counts):.0%} of {total:,} {unit} in {text}"
    facts += f" ({_changed(pronouns):.0%} of he, him, his and himself)" if len(pronouns) and words == "all" else ""
    facts += f"; most often left: {', '.join(missed)}" if len(missed) else ""
    return Record(_changed(counts) >= ALL, facts, total, unit)


def _changed(counts: pl.DataFrame) -> float:
    return cast(int, counts["released"].sum()) / cast(int, counts["masculine"].sum())
