"""Score gender bias before the first step of a family of continued runs; a test that could not be had gives an empty table."""

from overtime.bias.score_continued import score_start
from overtime.files import write_table
from overtime.pipeline.step import step

with step(snakemake):
    input, params = snakemake.input, snakemake.params
    tables = score_start(input.model, params.revision, input.crows_pairs, input.winobias, params.device)
    for name, table in tables.items():
        write_table(table, snakemake.output[name])
