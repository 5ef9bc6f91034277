"""The stereotype measure over training: released curves, measured curves by direction, and the manipulation check."""

import polars as pl

from overtime.bias import always_feminine, pronoun_curve, released_curve, stereotype_curve
from overtime.files import read_run, read_table, write_table
from overtime.step import step

with step(snakemake):
    input, params = snakemake.input, snakemake.params
    pairs = read_table(input.pairs)
    scores, pronouns = (pl.concat([read_run(path) for path in paths]) for paths in (input.scores, input.pronouns))
    tables = [
        released_curve(pl.read_csv(input.released), params.released, pl.read_csv(input.directions)),
        stereotype_curve(scores, pairs, **params.statistics),
        pronoun_curve(pronouns, **params.statistics),
        always_feminine(pairs),
    ]
    write_table(pl.concat(tables, how="diagonal_relaxed"), snakemake.output.table)
