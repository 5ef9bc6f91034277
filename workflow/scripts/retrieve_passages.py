"""Choose the passages of every condition and write the prompts."""

from overtime.facts.suite_passages import passage_prompts
from overtime.files import read_table, write_table
from overtime.pipeline.step import step

with step(snakemake):
    input, params = snakemake.input, snakemake.params
    tables = (read_table(path) for path in (input.shelf, input.questions, input.counts))
    write_table(passage_prompts(*tables, params.top, params.seed), snakemake.output.passages)
