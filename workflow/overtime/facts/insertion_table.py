"""Factual questions: matching answers, and what inserting documents does to accuracy.

Score tables hold a row per question (`model`, `arm`, `seed`, `question`, `correct`, ...). Seeds are averaged first: the
independent unit is the entity, because documents are inserted per entity.
"""

from collections.abc import Iterable

import polars as pl

from overtime import InputError
from overtime.statistics import bootstrap, mean_of
from overtime.tables import figure_table, interval_columns, last_step, mean_over_seeds


def insertion_table(
    before: Iterable[pl.DataFrame],
    after: Iterable[pl.DataFrame],
    questions: pl.DataFrame,
    targets: pl.DataFrame,
    resamples: int = 2000,
    seed: int = 0,
) -> pl.DataFrame:
    """Accuracy before and after inserting documents, by number inserted (fig4), with bootstrap intervals over entities.

    before: closed-book tables of the arm without insertion; after: those of arms "insert_<placement>"; last steps are compared.
    questions: `question`, `entity`; targets: `entity`, `inserted` (0 for controls). All other entities form the group "other".
    Returns `source`, `series`, `model`, `placement`, `group`, `when`, `x` (documents inserted), `y`, `lower`, `upper`, `n`
    (entities), and on "after" rows the paired gain: `gain`, `gain_lower`, `gain_upper`.
    """
    if twice := targets.filter(pl.col("entity").is_duplicated())["entity"].to_list():
        raise InputError(f"insertion: {twice[0]} is in {twice.count(twice[0])} groups of targets; an entity is in one")
    paired = _paired(before, after, questions.select("question", "entity"), targets.select("entity", "inserted"))
    rows = []
    for key, part in paired.group_by("model", "placement", "group", "x", maintain_order=True):
        values = [(part["before"], (0, 1)), (part["after"], (0, 1)), (part["after"] - part["before"], (-1, 1))]
        first, second, gain = (
            bootstrap(mean_of(column), part["entity"], resamples, seed, limits).interval() for column, limits in values
        )
        names = dict(zip(("model", "placement", "group", "x"), key))
        rows.append(names | {"when": "before"} | interval_columns(first))
        rows.append(names | {"when": "after"} | interval_columns(second) | interval_columns(gain, "gain"))
    table = pl.DataFrame(rows, infer_schema_length=None)
    table = table.with_columns(source=pl.lit("measured"), series=pl.format("{} {} {}", "model", "placement", "group"))
    return figure_table(table, "placement", "model", "group", "x", pl.col("when") == "after")


def _paired(
    before: Iterable[pl.DataFrame], after: Iterable[pl.DataFrame], entities: pl.DataFrame, targets: pl.DataFrame
) -> pl.DataFrame:
    """One row per model, placement and question answered both before and after, by the seeds that have been trained with them."""
    with_them = last_step(pl.concat(after, how="diagonal_relaxed"))
    without = last_step(pl.concat(before, how="diagonal_relaxed")).join(with_them, on=["model", "seed"], how="semi")
    base = mean_over_seeds(without, ["model"], "correct").rename({"correct": "before"})
    changed = mean_over_seeds(with_them, ["model", "arm"], "correct").rename({"correct": "after"})
    paired = changed.join(base, on=["model", "question"], maintain_order="left")
    paired = paired.join(entities, on="question", maintain_order="left")
    paired = paired.join(targets, on="entity", how="left", maintain_order="left")
    if paired.is_empty():
        raise InputError("insertion: no question was answered by the same model both before and after")
    return paired.with_columns(
        placement=pl.col("arm").str.strip_prefix("insert_"),
        group=pl.when(pl.col("inserted").is_null()).then(pl.lit("other")).otherwise(pl.lit("target")),
        x=pl.col("inserted").fill_null(0),
    )
