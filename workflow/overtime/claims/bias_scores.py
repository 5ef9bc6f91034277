"""What the claims of case study 1 are computed from: the final scores of every run by item, and arms paired with their baselines.

Scores come from published checkpoints where a run has scored some that allow the comparison, else from the suite, or from a
variant of its world; never from two of these together. A run of an arm is compared with the baseline of its model and seed, from
which it branches off.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overtime import InputError
from overtime.claims.evidence import MissingEvidence, Sample, Tables, arm, by_run, in_world
from overtime.files import require_unique
from overtime.statistics import Statistic
from overtime.tables import ARM_COLUMNS, RUN, last_step

PAIR_COLUMNS = ("pair", "template", "occupation", "direction")
CONTEXT_COLUMNS = ("context", "template", "occupation")
CHECKPOINT = ("model", "arm", "seed", "step")


@dataclass(frozen=True)
class ItemScores:
    """The `value` of every model, arm, seed and item; the columns that make an item; the units of items; whose scores they are.

    Each row also says what its arm is: `rewrite`, `rewritten` (the last share of training) and `probability`, null for baselines.
    """

    table: pl.DataFrame
    item: tuple[str, ...]
    units: dict[str, str]  # what they are called -> column
    of: str  # added to the name of a quantity


@dataclass(frozen=True)
class Runs:
    """Values of the same runs and items under one or more conditions, by size [runs, items]; `note` says what was left out."""

    items: pl.DataFrame
    units: dict[str, NDArray[np.generic]]
    conditions: list[dict[str, NDArray[np.float64]]]
    note: str

    def statistics(self, of_run: Callable[..., Statistic]) -> dict[str, list[Statistic]]:
        """`of_run` of the values of every run, one argument for each condition, by size."""
        sizes = self.conditions[0]
        return {size: [of_run(*run) for run in zip(*(values[size] for values in self.conditions), strict=True)] for size in sizes}


def suite_pair_scores(tables: Tables, variant: str | None = None, back: int = 0) -> ItemScores:
    """ll_more - ll_less of the suite's pairs, in the world or a variant of it, so many checkpoints before the last."""
    scores = in_world(tables, variant, "pair_scores", *CHECKPOINT, "pair", "ll_more", "ll_less")
    own = scores.filter(pl.col("step").rank("dense", descending=True).over(RUN) == back + 1)
    pairs = in_world(tables, variant, "pairs", *PAIR_COLUMNS)
    final = _described(own.with_columns(value=pl.col("ll_more") - pl.col("ll_less")), pairs, PAIR_COLUMNS)
    units = {"templates": "template", "occupations": "occupation"}
    return ItemScores(_declared(tables, final, published=False), PAIR_COLUMNS, units, of_world(variant))


def published_pair_scores(tables: Tables) -> ItemScores:
    """The same of published checkpoints: CrowS-Pairs' gender pairs that have a direction, all of them in one template."""
    columns = ("model", "arm", "step", "pair", "bias_type", "direction", "ll_more", "ll_less")
    gender = tables.read("published_pairs", *columns).filter(pl.col("direction").is_not_null(), bias_type="gender")
    final = last_step(gender.with_columns(seed=pl.lit("0"), template=pl.lit(0), value=pl.col("ll_more") - pl.col("ll_less")))
    declared = _declared(tables, final, published=True)
    return ItemScores(declared, ("pair", "template", "direction"), {"pairs": "pair"}, ", published checkpoints")


def suite_pronoun_scores(tables: Tables, variant: str | None = None) -> ItemScores:
    """Log-odds of feminine pronouns in the suite's neutral contexts, each of them a frame with an occupation."""
    scores = last_step(in_world(tables, variant, "pronoun_scores", *CHECKPOINT, "context", "log_odds"))
    contexts = tables.read("contexts", *CONTEXT_COLUMNS)  # in every world the same
    final = _described(scores.rename({"log_odds": "value"}), contexts, CONTEXT_COLUMNS)
    units = {"frames": "template", "occupations": "occupation"}
    return ItemScores(_declared(tables, final, published=False), CONTEXT_COLUMNS, units, of_world(variant))


def published_pronoun_scores(tables: Tables) -> ItemScores:
    """The same of published checkpoints, where each context is a unit."""
    scores = tables.read("published_pronouns", "model", "arm", "step", "context", "contrast", "log_odds")
    final = last_step(scores.with_columns(seed=pl.lit("0"))).rename({"log_odds": "value"})
    declared = _declared(tables, final, published=True)
    return ItemScores(declared, ("context", "contrast"), {"contexts": "context"}, ", published checkpoints")


Readers = tuple[Callable[[Tables], ItemScores], Callable[[Tables, str | None], ItemScores]]
PAIRS: Readers = (published_pair_scores, suite_pair_scores)
PRONOUNS: Readers = (published_pronoun_scores, suite_pronoun_scores)


def compare(tables: Tables, read: Readers, variant: str | None, build: Callable[..., Sample], **options: Any) -> Sample:
    """What `build` makes of the published scores where these allow it, else of the suite's; of a variant's where one is named.

    Whose scores these are does not hang on the options, which vary one comparison.
    """
    published, suite = read
    if variant is None:
        try:
            scores = published(tables)
            build(scores)
        except MissingEvidence:
            pass
        else:
            return build(scores, **options)
    return build(suite(tables, variant), **options)


def of_world(variant: str | None) -> str:
    """In words, to be added to the name of a quantity."""
    return "" if variant is None else f", {variant} world"


def baselines(scores: ItemScores) -> Runs:
    """The runs without an intervention."""
    return _runs(scores, arm(scores.table, "baseline"), ["value"])


def with_arm(scores: ItemScores, rows: pl.DataFrame) -> Runs:
    """The runs without an intervention, and the same ones in an arm, whose `rows` of the scores are given."""
    base, run = arm(scores.table, "baseline"), ["model", "seed"]
    both = base.join(rows.select(*run, *scores.item, changed="value"), on=[*run, *scores.item])
    if both.is_empty():
        raise MissingEvidence("no model has both a baseline and such an arm")
    every = pl.concat([base.select(run), rows.select(run)]).unique()
    alone = every.join(both.select(run), on=run, how="anti").sort(run)
    listed = ", ".join(f"{model} (seed {seed})" for model, seed in alone.iter_rows())
    return _runs(scores, both, ["value", "changed"], f"without both a baseline and such an arm: {listed}" if listed else "")


def beside_null(scores: ItemScores, null: ItemScores) -> Runs:
    """The runs without an intervention, and those of the null world of the same sizes and seeds on the same items."""
    key = ["model", "seed", *scores.item]
    both = arm(scores.table, "baseline").join(arm(null.table, "baseline").select(*key, null="value"), on=key)
    if both.is_empty():
        raise MissingEvidence("no run of the null world has the size and seed of one of the world itself")
    return _runs(scores, both, ["value", "null"])


def last_checkpoints(tables: Tables, variant: str | None, number: int) -> Runs:
    """The runs without an intervention at so many of their last checkpoints, the last one first."""
    scores = [suite_pair_scores(tables, variant, back) for back in range(number)]
    rows = arm(scores[0].table, "baseline")
    for back, earlier in enumerate(scores[1:], 1):
        key = [*RUN, *earlier.item]
        rows = rows.join(earlier.table.select(*key, pl.col("value").alias(f"back {back}")), on=key, how="left")
        if rows[f"back {back}"].null_count():
            raise MissingEvidence(f"the baselines are not all scored at {number} checkpoints")
    return _runs(scores[0], rows, ["value", *(f"back {back}" for back in range(1, number))])


def repeated(runs: Runs, sizes: int) -> Runs:
    """The runs, or `MissingEvidence` unless so many sizes have two of them."""
    of = runs.conditions[0]
    if sum(len(own) > 1 for own in of.values()) < sizes:
        had = ", ".join(f"{size} {len(own)}" for size, own in of.items())
        raise MissingEvidence(f"needs {sizes} size{'s' * (sizes > 1)} with two runs each; there are {had}")
    return runs


def _runs(scores: ItemScores, rows: pl.DataFrame, conditions: Sequence[str], note: str = "") -> Runs:
    of = [by_run(rows, list(scores.item), condition) for condition in conditions]
    items, every = of[0].items, rows.select(scores.item).n_unique()
    if items.is_empty():
        raise MissingEvidence(f"no {scores.item[0]} is scored by all runs")
    some = f"of {every} {scores.item[0]}s the {len(items)} that all runs score" if len(items) < every else ""
    units = {unit: items[column].to_numpy() for unit, column in scores.units.items()}
    return Runs(items, units, [one.of for one in of], "; ".join(filter(None, (note, some))))


def _described(scores: pl.DataFrame, items: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    """The scores with what is known of their items, whose key is the first of the columns."""
    key = columns[0]
    require_unique(items, [key], f"{key}s")
    if len(unknown := scores.join(items, on=key, how="anti")):
        raise InputError(f"{key}s: {key} {unknown[key][0]} is scored, but not among them")
    return scores.join(items.select(columns), on=key, maintain_order="left")


def _declared(tables: Tables, scores: pl.DataFrame, published: bool) -> pl.DataFrame:
    """The scores with what their arms are declared to be: those of the suite, or those of each published model."""
    arms = tables.read("arms", *ARM_COLUMNS, "model").rename({"share": "rewritten"})
    known = arms.select("model", "arm", "rewrite", "rewritten", "probability").filter(pl.col("model").is_not_null() == published)
    join = partial(scores.join, how="left", maintain_order="left")
    return join(known, on=["model", "arm"]) if published else join(known.drop("model"), on="arm")
