"""Accuracy by layer and by number of demonstrations, where attacks take hold, and the lens's divergence; the released curve."""

import polars as pl

from overtime.attacks.layers_table import layers_table
from overtime.files import read_table, write_table
from overtime.pipeline.step import step

with step(snakemake):
    input, params = snakemake.input, snakemake.params
    read = ((model, task, read_table(path)) for (model, task), path in zip(params.runs, input.layers))
    lenses = ((model, read_table(path)) for model, path in zip(params.models, input.lenses))
    table = layers_table(pl.read_csv(input.released), read, lenses, params.window, **params.statistics)
    write_table(table, snakemake.output.table)
