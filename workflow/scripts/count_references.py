"""Count the masculine words of a text at hand, and those that the released intervention changes."""

from overtime.bias.reference_counts import reference_counts
from overtime.files import write_table
from overtime.pipeline.step import step

with step(snakemake):
    input = snakemake.input
    write_table(reference_counts(input.wikitext, input.documents), snakemake.output.table)
