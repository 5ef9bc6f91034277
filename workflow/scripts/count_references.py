"""Count the gendered words of texts at hand, as written and rewritten, and those that the released intervention changes."""

from overtime.bias.reference_counts import reference_counts, texts_at_hand
from overtime.files import write_table
from overtime.pipeline.step import step

with step(snakemake):
    input, output = snakemake.input, snakemake.output
    words, ways = reference_counts(texts_at_hand(input.encyclopedia, input.wikitext, input.documents))
    write_table(words, output.table)
    write_table(ways, output.ways)
