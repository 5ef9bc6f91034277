"""What models that were trained further here scored at the end, by item: every run, and the model that they began with.

A run is one text on one stretch of its corpus. The stretches count as the runs of a size: they differ in what was read, as seeds
do. One family of runs is judged: that of the largest model, then of the longest stretches, then the first by name.
"""

import polars as pl

from overtime.claims.bias_scores import ItemScores
from overtime.claims.evidence import MissingEvidence, Tables
from overtime.files import require_unique
from overtime.tables import last_step

START, ORIGINAL = "start", "original"  # the model before training, as an arm; the text that is the control


def continued_pair_scores(tables: Tables) -> ItemScores:
    """ll_more - ll_less of CrowS-Pairs' gender pairs that have a direction, all of them in one template."""
    rows = _scores(tables, "pairs", "pair", "direction", "ll_more", "ll_less").drop_nulls("direction")
    rows = rows.with_columns(template=pl.lit(0), value=pl.col("ll_more") - pl.col("ll_less"))
    return _of_family(rows, ("pair", "template", "direction"), {"pairs": "pair"})


def continued_pronoun_scores(tables: Tables) -> ItemScores:
    """Log-odds of feminine pronouns in neutral contexts, each of them a unit."""
    rows = _scores(tables, "pronouns", "context", "contrast", "log_odds").rename({"log_odds": "value"})
    return _of_family(rows, ("context", "contrast"), {"contexts": "context"})


def continued_margins(tables: Tables) -> ItemScores:
    """How much likelier the right reading of a pronoun is in the stereotypical than in the other sentence of a WinoBias item.

    Both sentences have the same two people and the other pronoun, and the likelihoods are those of the answers given them, so
    what is added to all pronouns of a gender cancels. The units are the two occupations, crossed.
    """
    item, run = ["type", "item", "masculine", "feminine"], ["model", "arm", "seed", "rewrite", "probability"]
    rows = _scores(tables, "winobias", "side", *item, "ll_more", "ll_less")
    require_unique(rows, [*run, *item, "side"], "WinoBias scores")
    sides = [
        rows.filter(side=side).select(*run, *item, (pl.col("ll_more") - pl.col("ll_less")).alias(side))
        for side in ("pro", "anti")
    ]
    both = sides[0].join(sides[1], on=[*run, *item], nulls_equal=True).with_columns(value=pl.col("pro") - pl.col("anti"))
    units = {"masculine occupations": "masculine", "feminine occupations": "feminine"}
    return _of_family(both, tuple(item), units)


def _scores(tables: Tables, test: str, *columns: str) -> pl.DataFrame:
    """Final scores of the judged family, and its start as an arm: `model` is the family, `arm` the text, `seed` the stretch."""
    declared = tables.read("continued_runs", "run", "family", "text", "stretch", "rewrite", "probability", "parameters", "tokens")
    longest = pl.col("tokens").fill_null(pl.max("tokens") + 1)  # null: all of a corpus
    family = declared.sort(-pl.col("parameters"), -longest, "family")["family"][0]
    own = declared.filter(family=family)
    runs = own.select("run", "rewrite", "probability", model="family", arm="text", seed=pl.col("stretch").cast(pl.String))
    ended = last_step(tables.read(f"continued_{test}", "run", "step", *columns).join(runs, on="run"))
    began = tables.read(f"start_{test}", "family", *columns).filter(family=family)
    began = began.select(*columns, pl.lit(family).alias("model"), pl.lit(START).alias("arm"), pl.lit("0").alias("seed"))
    return pl.concat([ended.select("model", "arm", "seed", "rewrite", "probability", *columns), began], how="diagonal")


def _of_family(rows: pl.DataFrame, item: tuple[str, ...], units: dict[str, str]) -> ItemScores:
    if rows.is_empty():
        raise MissingEvidence("no continued run is scored on whole items")
    baseline = pl.when(arm=ORIGINAL).then(pl.lit("baseline")).otherwise("arm")
    table = rows.with_columns(arm=baseline, rewritten=pl.lit(None, pl.Float64))
    return ItemScores(table, item, units, f", {rows['model'][0]}")
