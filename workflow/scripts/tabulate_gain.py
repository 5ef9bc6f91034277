"""Accuracy with documents inserted and without, by number of documents, and what it costs elsewhere."""

import polars as pl

from overtime.facts.insertion_table import insertion_table
from overtime.files import read_table, write_table
from overtime.pipeline.step import step
from overtime.tables import with_parameters

with step(snakemake):
    params = snakemake.params
    before, after = ([read_table(path) for path in snakemake.input[side]] for side in ("before", "after"))
    tables, compared = [], pl.DataFrame(params.compared).with_row_index()
    for (model, text), runs in compared.group_by("model", "text", maintain_order=True):
        named = [{"model": pl.lit(model), "seed": pl.lit(seed)} for seed in runs["seed"]]
        arms = {"control": before, f"insert_{text}": after}
        sides = [
            [table[place].with_columns(**names, arm=pl.lit(arm)) for place, names in zip(runs["index"], named, strict=True)]
            for arm, table in arms.items()
        ]
        targets = sides[1][0].drop_nulls("inserted").select("entity", "inserted").unique(maintain_order=True)
        tables.append(insertion_table(*sides, sides[1][0], targets, **params.statistics))
    sizes = dict(compared.select("model", "parameters").iter_rows())
    write_table(with_parameters(pl.concat(tables, how="diagonal"), sizes), snakemake.output.table)
