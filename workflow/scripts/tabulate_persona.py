"""Mean log-odds by persona and group of claims, and the answers side by side."""

import polars as pl

from overtime.attacks.persona_table import persona_table
from overtime.files import read_table, write_table
from overtime.pipeline.step import step

with step(snakemake):
    input, models, statistics = snakemake.input, snakemake.params.models, snakemake.params.statistics
    tables = [
        persona_table(read_table(odds), read_table(said), **statistics).with_columns(model=pl.lit(model))
        for model, odds, said in zip(models, input.log_odds, input.answers)
    ]
    write_table(pl.concat(tables), snakemake.output.table)
