"""Case study 1: does the swap of pronouns late in training lower the stereotype measure, and are larger models more biased?

Measured comparisons are paired: the same sentence pairs scored by both sides, averaged over seeds and then over models, with the
sentence template as the unit. Their intervals are over templates, for the runs at hand and one set of pairs. They rest on
published checkpoints where a run has scored some that allow the comparison, else on the suite.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import polars as pl

from overtime.evidence.tables import (
    DIFFERENCE,
    MissingEvidence,
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

STEREOTYPE = (pl.col("ll_more") > pl.col("ll_less")).cast(pl.Float64)


class Scores(NamedTuple):
    """Item scores at the end of training: a row per model, arm, seed and item; the independent unit; whose they are."""

    table: pl.DataFrame
    unit: str
    of: str


def _suite_shares(tables: Tables) -> Scores:
    """Final share of stereotypical preferences per run and pair of the suite, with the pair's template and direction."""
    scores = final(tables.read("pair_scores", "model", "arm", "seed", "step", "pair", "ll_more", "ll_less"))
    pairs = tables.read("pairs", "pair", "template", "direction").select("pair", "template", "direction")
    return Scores(scores.with_columns(share=STEREOTYPE).join(pairs, on="pair"), "templates", "")


def _published_shares(tables: Tables) -> Scores:
    """The same of published checkpoints on CrowS-Pairs' gender pairs, each of which is its own template."""
    columns = ("model", "arm", "step", "pair", "bias_type", "direction", "ll_more", "ll_less")
    gender = tables.read("published_pairs", *columns).filter(bias_type="gender").with_columns(seed=pl.lit("0"), template="pair")
    return Scores(final(gender).with_columns(share=STEREOTYPE), "pairs", ", published checkpoints")


SHARES = (_published_shares, _suite_shares)


def _compare(read: tuple[Callable[[Tables], Scores], ...], tables: Tables, build: Callable[[Scores], Sample]) -> Sample:
    """A comparison on published checkpoints where there are any that allow it, else on the suite; never on both together."""
    published, suite = read
    try:
        return build(published(tables))
    except MissingEvidence:
        return build(suite(tables))


def _swap(scores: pl.DataFrame) -> str:
    """The swap to compare with the baseline: the talk's 14 %, or the longest that all models with any swap have."""
    arms = scores.filter(pl.col("arm").str.contains(r"^swap\d+$")).group_by("model").agg(pl.col("arm").unique())["arm"]
    if "swap14" in arms.explode():
        return "swap14"
    shared = set.intersection(*map(set, arms)) if len(arms) else set()
    if not shared:
        raise MissingEvidence("the models have no arm with swapped pronouns in common")
    return max(shared, key=lambda name: int(name.removeprefix("swap")))


def _both_arms(scores: pl.DataFrame, name: str, item: list[str], value: str) -> pl.DataFrame:
    """`value` of the baseline and of arm `name` (column `other`) per item, over the models that have both."""
    changed = arm(scores, name)
    base = arm(scores, "baseline").join(changed.select("model").unique(), on="model", how="semi")
    changed = changed.join(base.select("model").unique(), on="model", how="semi")
    if not len(base):
        raise MissingEvidence(f"no model has both a baseline and an arm {name}")
    return paired(over_runs(base, item, value), over_runs(changed, item, value), item, value)


def swap_change(tables: Tables) -> Sample:
    """Measured: final stereotype share, baseline minus the swap, paired by sentence pair, resampled by template.

    The aggregate over both directions, as in the talk's figures; `swap_both_directions` looks inside it.
    """

    def build(scores: Scores) -> Sample:
        name = _swap(scores.table)
        both = _both_arms(scores.table, name, ["template", "pair"], "share")
        change = mean_of(array(both, "share") - array(both, "other"))
        quantity = f"stereotype share, baseline minus {_percent(name)} swap{scores.of}"
        return Sample(quantity, scores.unit, change, both["template"].to_numpy(), DIFFERENCE)

    return _compare(SHARES, tables, build)


def _both_directions(scores: Scores, name: str, change: str) -> Sample:
    classified = scores.table.drop_nulls("direction")
    both = _both_arms(classified, name, ["direction", "template", "pair"], "share")
    sides = [np.flatnonzero(both["direction"] == side) for side in ("feminine", "masculine")]
    if not all(len(side) for side in sides):
        raise MissingEvidence("the pairs have one direction only")
    before, after = ([among(mean_of(array(both, column)[side]), side) for side in sides] for column in ("share", "other"))

    def smaller_gain(weights: Weights) -> np.ndarray:
        gains = [abs(old(weights) - 0.5) - abs(new(weights) - 0.5) for old, new in zip(before, after, strict=True)]
        return np.minimum(*gains)

    quantity = f"smaller of the two directions' approach to 50 % under {change}{scores.of}"
    return Sample(quantity, scores.unit, smaller_gain, both["template"].to_numpy(), DIFFERENCE)


def swap_both_directions(tables: Tables) -> Sample:
    """Measured: how far the swap brings the stereotype share towards one half, in the direction where it does so least.

    A model that always prefers the feminine variant scores near the mix of the pair set whatever it believes, so a debiasing must
    move the pairs with a feminine and those with a masculine stereotype towards 50 %, each by itself.
    """

    def build(scores: Scores) -> Sample:
        name = _swap(scores.table)
        return _both_directions(scores, name, f"the {_percent(name)} swap")

    return _compare(SHARES, tables, build)


def augmentation_both_directions(tables: Tables) -> Sample:
    """Measured: as `swap_both_directions`, for two-way counterfactual augmentation; shows that the measure can succeed."""
    return _compare(SHARES, tables, lambda scores: _both_directions(scores, "cda14", "two-way augmentation"))


def pronoun_shift(tables: Tables) -> Sample:
    """Measured manipulation check: final log-odds of feminine against masculine pronouns in neutral contexts, swap - baseline."""

    def build(scores: Scores) -> Sample:
        name = _swap(scores.table)
        both = _both_arms(scores.table, name, ["context", "contrast"], "log_odds")
        shift = mean_of(array(both, "other") - array(both, "log_odds"))
        quantity = f"log-odds of feminine pronouns, {_percent(name)} swap minus baseline{scores.of}"
        return Sample(quantity, scores.unit, shift, both["context"].to_numpy())

    return _compare((_published_pronouns, _suite_pronouns), tables, build)


def size_gap(tables: Tables) -> Sample:
    """Measured: final stereotype share of the largest minus the smallest baseline, paired by sentence pair, by template."""

    def build(scores: Scores) -> Sample:
        base = arm(scores.table, "baseline")
        models = sorted(base["model"].unique(), key=size)
        if len(models) < 2:
            raise MissingEvidence("one size of model only")
        small, large = (over_runs(base.filter(model=name), ["template", "pair"], "share") for name in (models[0], models[-1]))
        both = paired(large, small, ["template", "pair"], "share")
        gap = mean_of(array(both, "share") - array(both, "other"))
        quantity = f"stereotype share, {models[-1]} minus {models[0]}{scores.of}"
        return Sample(quantity, scores.unit, gap, both["template"].to_numpy(), DIFFERENCE)

    return _compare(SHARES, tables, build)


def _suite_pronouns(tables: Tables) -> Scores:
    """Final log-odds per run and neutral context."""
    scores = tables.read("pronoun_scores", "model", "arm", "seed", "step", "context", "contrast", "log_odds")
    return Scores(final(scores), "contexts", "")


def _published_pronouns(tables: Tables) -> Scores:
    scores = tables.read("published_pronouns", "model", "arm", "step", "context", "contrast", "log_odds")
    return Scores(final(scores.with_columns(seed=pl.lit("0"))), "contexts", ", published checkpoints")


def _percent(name: str) -> str:
    """The share of training that an arm swaps, as written: "14 %"."""
    return f"{name.removeprefix('swap')} %"


COMPARISONS = (
    swap_change,
    swap_both_directions,
    augmentation_both_directions,
    pronoun_shift,
    size_gap,
)
