"""Mean log-odds by persona and group of claims, and the answers side by side."""

import polars as pl

from overtime.files import read_table, write_table
from overtime.persona import summarise
from overtime.step import step

with step(snakemake):
    input, models = snakemake.input, snakemake.params.models
    tables = [
        summarise(read_table(odds), read_table(said)).with_columns(model=pl.lit(model))
        for model, odds, said in zip(models, input.log_odds, input.answers)
    ]
    write_table(pl.concat(tables), snakemake.output.table)
