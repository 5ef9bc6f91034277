"""Accuracy with documents inserted and without, by number of documents, and what it costs elsewhere."""

import polars as pl

from overtime.facts.insertion_table import insertion_table
from overtime.files import read_table, write_table
from overtime.pipeline.step import step

with step(snakemake):
    names = {"model": pl.lit(snakemake.wildcards.run), "seed": pl.lit("0")}
    before, after = (read_table(path).with_columns(**names) for path in (snakemake.input.before, snakemake.input.after))
    targets = after.drop_nulls("inserted").select("entity", "inserted").unique(maintain_order=True)
    arms = before.with_columns(arm=pl.lit("control")), after.with_columns(arm=pl.lit(f"insert_{snakemake.params.text}"))
    table = insertion_table([arms[0]], [arms[1]], after, targets, **snakemake.params.statistics)
    write_table(table, snakemake.output.table)
