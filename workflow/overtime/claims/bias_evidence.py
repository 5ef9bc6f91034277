"""Case study 1: does the swap of pronouns late in training lower the stereotype measure, and are larger models more biased?

Measured comparisons are paired: the same sentence pairs scored by both sides, averaged over seeds and then over models, with the
sentence template as the unit. Their intervals are over templates, for the runs at hand and one set of pairs. They rest on
published checkpoints where a run has scored some that allow the comparison, else on the suite.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import polars as pl

from overtime.claims.evidence import (
    DIFFERENCE,
    MissingEvidence,
    Sample,
    Tables,
    arm,
    array,
    ordered_models,
    over_runs,
    paired,
)
from overtime.statistics import Weights, among, mean_of
from overtime.tables import ARM_COLUMNS, ONE_WAY, TALKS_SHARE, last_step

STEREOTYPE = (pl.col("ll_more") > pl.col("ll_less")).cast(pl.Float64)


class FinalScores(NamedTuple):
    """Item scores at the end of training: a row per model, arm, seed and item; the independent unit; whose they are.

    Each row also says what its arm is: `rewrite`, `share` (as `rewritten`) and `probability`, null for baselines.
    """

    table: pl.DataFrame
    unit: str
    of: str


PUBLISHED = ", published checkpoints"


def _declared(tables: Tables, scores: pl.DataFrame, of: str) -> pl.DataFrame:
    """The scores with what their arms are declared to be: those of the suite, or those of each published model."""
    arms = tables.read("arms", *ARM_COLUMNS, "model").rename({"share": "rewritten"})
    known = arms.select("model", "arm", "rewrite", "rewritten", "probability")
    if of == PUBLISHED:
        return scores.join(known.drop_nulls("model"), on=["model", "arm"], how="left", maintain_order="left")
    suite = known.filter(pl.col("model").is_null()).drop("model")
    return scores.join(suite, on="arm", how="left", maintain_order="left")


def _suite_shares(tables: Tables) -> FinalScores:
    """Final share of stereotypical preferences per run and pair of the suite, with the pair's template and direction."""
    scores = last_step(tables.read("pair_scores", "model", "arm", "seed", "step", "pair", "ll_more", "ll_less"))
    pairs = tables.read("pairs", "pair", "template", "direction").select("pair", "template", "direction")
    return FinalScores(_declared(tables, scores.with_columns(share=STEREOTYPE).join(pairs, on="pair"), ""), "templates", "")


def _published_shares(tables: Tables) -> FinalScores:
    """The same of published checkpoints on CrowS-Pairs' gender pairs, each of which is its own template."""
    columns = ("model", "arm", "step", "pair", "bias_type", "direction", "ll_more", "ll_less")
    gender = tables.read("published_pairs", *columns).filter(bias_type="gender").with_columns(seed=pl.lit("0"), template="pair")
    scores = last_step(gender).with_columns(share=STEREOTYPE)
    return FinalScores(_declared(tables, scores, PUBLISHED), "pairs", PUBLISHED)


SHARES = (_published_shares, _suite_shares)


def _compare(read: tuple[Callable[[Tables], FinalScores], ...], tables: Tables, build: Callable[[FinalScores], Sample]) -> Sample:
    """A comparison on published checkpoints where there are any that allow it, else on the suite; never on both together."""
    published, suite = read
    try:
        return build(published(tables))
    except MissingEvidence:
        return build(suite(tables))


def _swap(scores: FinalScores) -> tuple[pl.DataFrame, str]:
    """The rows of the swap to compare with the baseline, and its share in words.

    A swap rewrites masculine as feminine words in all documents of the last share of training; it is the talk's 14 %, or the
    longest that all models with any swap have.
    """
    swaps = scores.table.filter(pl.col("rewrite").is_in(ONE_WAY), pl.col("probability") == 1)
    of_models = [set(shares) for shares in swaps.group_by("model").agg(pl.col("rewritten").unique())["rewritten"]]
    if any(TALKS_SHARE in shares for shares in of_models):
        share = TALKS_SHARE
    elif shared := set[float].intersection(*of_models) if of_models else set():
        share = max(shared)
    else:
        raise MissingEvidence("no arm that all models have rewrites masculine as feminine words in every document")
    chosen = swaps.filter(pl.col("rewritten") == share)
    best = next(way for way in ONE_WAY if way in chosen["rewrite"])
    return chosen.filter(rewrite=best), f"{100 * share:g} %"


def _augmentation(scores: FinalScores) -> pl.DataFrame:
    """The rows of two-way counterfactual augmentation: a swap both ways in a part of the documents, of the longest share."""
    rows = scores.table.filter(pl.col("probability") < 1, rewrite="swap")
    if rows.is_empty():
        raise MissingEvidence("no arm swaps both ways in a part of the documents")
    return rows.filter(pl.col("rewritten") == pl.col("rewritten").max())


def _both_arms(scores: pl.DataFrame, changed: pl.DataFrame, item: list[str], value: str) -> pl.DataFrame:
    """`value` of the baseline and of the `changed` arm (column `other`) per item, over the models that have both."""
    base = arm(scores, "baseline").join(changed.select("model").unique(), on="model", how="semi")
    changed = changed.join(base.select("model").unique(), on="model", how="semi")
    if not len(base):
        raise MissingEvidence("no model has both a baseline and such an arm")
    return paired(over_runs(base, item, value), over_runs(changed, item, value), item, value)


def swap_change(tables: Tables) -> Sample:
    """Measured: final stereotype share, baseline minus the swap, paired by sentence pair, resampled by template.

    The aggregate over both directions, as in the talk's figures; `swap_both_directions` looks inside it.
    """

    def build(scores: FinalScores) -> Sample:
        swapped, percent = _swap(scores)
        both = _both_arms(scores.table, swapped, ["template", "pair"], "share")
        change = mean_of(array(both, "share") - array(both, "other"))
        quantity = f"stereotype share, baseline minus {percent} swap{scores.of}"
        return Sample(quantity, scores.unit, change, both["template"].to_numpy(), DIFFERENCE)

    return _compare(SHARES, tables, build)


def _both_directions(scores: FinalScores, changed: pl.DataFrame, change: str) -> Sample:
    both = _both_arms(
        scores.table.drop_nulls("direction"), changed.drop_nulls("direction"), ["direction", "template", "pair"], "share"
    )
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

    def build(scores: FinalScores) -> Sample:
        swapped, percent = _swap(scores)
        return _both_directions(scores, swapped, f"the {percent} swap")

    return _compare(SHARES, tables, build)


def augmentation_both_directions(tables: Tables) -> Sample:
    """Measured: as `swap_both_directions`, for two-way counterfactual augmentation; shows that the measure can succeed."""
    return _compare(SHARES, tables, lambda scores: _both_directions(scores, _augmentation(scores), "two-way augmentation"))


def pronoun_shift(tables: Tables) -> Sample:
    """Measured manipulation check: final log-odds of feminine against masculine pronouns in neutral contexts, swap - baseline."""

    def build(scores: FinalScores) -> Sample:
        swapped, percent = _swap(scores)
        both = _both_arms(scores.table, swapped, ["context", "contrast"], "log_odds")
        shift = mean_of(array(both, "other") - array(both, "log_odds"))
        quantity = f"log-odds of feminine pronouns, {percent} swap minus baseline{scores.of}"
        return Sample(quantity, scores.unit, shift, both["context"].to_numpy())

    return _compare((_published_pronouns, _suite_pronouns), tables, build)


def size_gap(tables: Tables) -> Sample:
    """Measured: final stereotype share of the largest minus the smallest baseline, paired by sentence pair, by template."""

    def build(scores: FinalScores) -> Sample:
        base = arm(scores.table, "baseline")
        models = ordered_models(tables, base["model"])
        if len(models) < 2:
            raise MissingEvidence("one size of model only")
        small, large = (over_runs(base.filter(model=name), ["template", "pair"], "share") for name in (models[0], models[-1]))
        both = paired(large, small, ["template", "pair"], "share")
        gap = mean_of(array(both, "share") - array(both, "other"))
        quantity = f"stereotype share, {models[-1]} minus {models[0]}{scores.of}"
        return Sample(quantity, scores.unit, gap, both["template"].to_numpy(), DIFFERENCE)

    return _compare(SHARES, tables, build)


def _suite_pronouns(tables: Tables) -> FinalScores:
    """Final log-odds per run and neutral context."""
    scores = tables.read("pronoun_scores", "model", "arm", "seed", "step", "context", "contrast", "log_odds")
    return FinalScores(_declared(tables, last_step(scores), ""), "contexts", "")


def _published_pronouns(tables: Tables) -> FinalScores:
    scores = tables.read("published_pronouns", "model", "arm", "step", "context", "contrast", "log_odds")
    final = last_step(scores.with_columns(seed=pl.lit("0")))
    return FinalScores(_declared(tables, final, PUBLISHED), "contexts", PUBLISHED)
