"""Accuracy by layer and by number of demonstrations, where attacks take hold, and the lens's divergence; the released curve."""

import polars as pl

from overtime.files import read_table, write_table
from overtime.gap import landmark_rows, released_landmarks
from overtime.readout import accuracy_by_demonstrations, accuracy_by_layer, chance, divergence_rows, released_accuracy
from overtime.step import step

with step(snakemake):
    input, params, statistics = snakemake.input, snakemake.params, snakemake.params.statistics
    released = released_accuracy(pl.read_csv(input.released))
    tables = [released, released_landmarks(released)]
    for (model, task), path in zip(params.runs, input.layers):
        layers = read_table(path)
        by_layer, landmarks = (make(layers, params.window, **statistics) for make in (accuracy_by_layer, landmark_rows))
        for rows in (by_layer, landmarks, accuracy_by_demonstrations(layers, **statistics), chance(layers)):
            tables.append(rows.with_columns(model=pl.lit(model), task=pl.lit(task)))
    for model, path in zip(params.models, input.lenses):
        tables.append(divergence_rows(read_table(path)).with_columns(model=pl.lit(model)))
    write_table(pl.concat(tables, how="diagonal_relaxed"), snakemake.output.table)
