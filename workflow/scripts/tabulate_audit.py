"""Released points by evaluation code, the re-enactment beside them, and what ways of rewriting do to texts at hand."""

import polars as pl

from overtime.bias.audit_table import audit_table
from overtime.files import read_table, write_table
from overtime.pipeline.step import step
from overtime.tables import RELEASED_PARAMETERS, with_parameters

with step(snakemake):
    input, params = snakemake.input, snakemake.params
    scores = {model: read_table(path) for model, path in zip(params.models, input.scores)}
    reenacted = {model: table for model, table in scores.items() if not table.is_empty()}
    table = audit_table(pl.read_csv(input.released), reenacted, read_table(input.ways), **params.statistics)
    write_table(with_parameters(table, RELEASED_PARAMETERS | params.parameters), snakemake.output.table)
