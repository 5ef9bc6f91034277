"""How well attacks are told from normal prompts, and what answering from earlier layers recovers."""

import polars as pl

from overtime.attacks.defence_table import defence_table, detection_table
from overtime.files import read_table, write_table
from overtime.pipeline.step import step

with step(snakemake):
    input, models, statistics = snakemake.input, snakemake.params.models, snakemake.params.statistics
    for make_table, name, paths, output in (
        (detection_table, "detector", input.detect, snakemake.output.detect),
        (defence_table, "policy", input.defend, snakemake.output.defend),
    ):
        tables = [
            make_table(read_table(path), **statistics).with_columns(model=pl.lit(model)) for model, path in zip(models, paths)
        ]
        common = {"source": pl.lit("measured"), "series": pl.col(name), "x": pl.lit(None, pl.Float64)}
        write_table(pl.concat(tables).with_columns(**common), output)
