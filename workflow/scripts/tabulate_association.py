"""Slope and correlation of models' log-odds of gender with the association in their corpus, by size."""

from overtime.claims.association_table import association_table
from overtime.claims.evidence import Tables, declarations
from overtime.files import write_table
from overtime.pipeline.step import step
from overtime.tables import RELEASED_PARAMETERS, with_parameters

with step(snakemake):
    params = snakemake.params
    declared = declarations(params.parameters, {}, params.arms, {})
    table = association_table(Tables(dict(snakemake.input.items()) | declared), params.parameters)
    write_table(with_parameters(table, RELEASED_PARAMETERS | params.parameters), snakemake.output.table)
