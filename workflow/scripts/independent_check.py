"""Whether the models that others scored, too, have the same margins: what was compared, in words, or an error."""

from overtime import InputError
from overtime.bias.independent_check import agreements, disagreements
from overtime.files import atomic, read_table
from overtime.pipeline.step import step

with step(snakemake):
    if not snakemake.input.table:
        raise InputError("no model of this run is one that others scored, at the end of its training: nothing to compare")
    table = read_table(snakemake.input.table)
    if lines := disagreements(table):
        raise InputError("; ".join(lines))
    with atomic(snakemake.output.text) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in agreements(table)), encoding="utf-8")
