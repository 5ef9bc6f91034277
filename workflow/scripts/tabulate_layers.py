"""Accuracy by layer for every condition, with the released curve."""

import polars as pl

from overtime.files import read_table, write_table
from overtime.readout import accuracy_by_layer, chance, released_accuracy
from overtime.step import step

with step(snakemake):
    input, params = snakemake.input, snakemake.params
    tables = [released_accuracy(pl.read_csv(input.released))]
    for (model, task), path in zip(params.runs, input.layers):
        layers = read_table(path)
        names = {"model": pl.lit(model), "task": pl.lit(task)}
        curves = accuracy_by_layer(layers, params.window, **params.statistics)
        tables += [rows.with_columns(**names) for rows in (curves, chance(layers))]
    write_table(pl.concat(tables, how="diagonal_relaxed"), snakemake.output.table)
