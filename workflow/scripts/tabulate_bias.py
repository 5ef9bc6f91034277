"""The stereotype measure: released and measured curves over training, by size as others scored it; the manipulation check."""

import polars as pl

from overtime.bias.bias_table import checkpoint_curves, measured_curves, mixed, released_curve
from overtime.claims.association_table import preference_table
from overtime.claims.evidence import Tables
from overtime.files import read_table, write_table
from overtime.pipeline.step import step
from overtime.tables import MODEL, RELEASED_PARAMETERS, arm_table, read_runs, with_arms, with_parameters

with step(snakemake):
    input, params = snakemake.input, snakemake.params
    suite = read_runs(input.scores, MODEL), mixed(read_table(input.pairs)), read_runs(input.pronouns, MODEL)
    tables = [
        released_curve(pl.read_csv(input.released), params.released, pl.read_csv(input.directions)),
        with_arms(measured_curves("suite", *suite, read_table(input.contexts)), arm_table(params.arms)),
    ]
    if input.crows_pairs:
        curves = checkpoint_curves(read_runs(input.crows_pairs), read_runs(input.pronouns_english), params.totals)
        for model, rows in curves.partition_by("model", as_dict=True, maintain_order=True).items():
            tables.append(with_arms(rows, arm_table(params.published.get(model[0], {}))))
    tables += [preference_table(Tables({"independent_winobias": path})) for path in input.independent]
    table = pl.concat(tables, how="diagonal_relaxed")
    write_table(with_parameters(table, RELEASED_PARAMETERS | params.parameters), snakemake.output.table)
