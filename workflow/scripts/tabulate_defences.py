"""How well attacks are told from normal prompts, and what answering from earlier layers recovers."""

import polars as pl

from overtime.defend import defence_table
from overtime.detect import detection_table
from overtime.files import read_table, write_table
from overtime.step import step

with step(snakemake):
    input, statistics = snakemake.input, snakemake.params.statistics
    for summarise, paths, output in (
        (detection_table, input.detect, snakemake.output.detect),
        (defence_table, input.defend, snakemake.output.defend),
    ):
        tables = zip(snakemake.params.models, map(read_table, paths))
        rows = [summarise(table, **statistics).with_columns(model=pl.lit(model), source=pl.lit("measured")) for model, table in tables]
        write_table(pl.concat(rows), output)
