"""The stereotype measure over training: released curves, measured curves by direction, and the manipulation check."""

import polars as pl

from overtime.bias import measured_curves, released_curve
from overtime.files import read_run, read_table, write_table
from overtime.published import checkpoint_curves
from overtime.step import step


def read_runs(paths: list[str]) -> pl.DataFrame:
    return pl.concat([read_run(path) for path in paths])


with step(snakemake):
    input, params, statistics = snakemake.input, snakemake.params, snakemake.params.statistics
    suite = read_runs(input.scores), read_table(input.pairs), read_runs(input.pronouns)
    tables = [
        released_curve(pl.read_csv(input.released), params.released, pl.read_csv(input.directions)),
        measured_curves("suite", *suite, **statistics),
    ]
    if input.crows_pairs:
        published = read_runs(input.crows_pairs), read_runs(input.pronouns_english)
        tables.append(checkpoint_curves(*published, **statistics))
    write_table(pl.concat(tables, how="diagonal_relaxed"), snakemake.output.table)
