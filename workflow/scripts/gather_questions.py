"""Bring one question set into the common form, with linked entities and annotators' answers where they are given."""

from pathlib import Path

from overtime.corpora.counting import read_questions
from overtime.facts.annotators import join_annotators, read_annotators
from overtime.facts.question_sets import as_set, link, read
from overtime.files import write_table
from overtime.pipeline.step import step

with step(snakemake):
    input, params = snakemake.input, snakemake.params
    rows = read(params.format, Path(input.source))
    table = as_set(snakemake.wildcards.set, params.format, rows, params.sample, params.seed)
    if table.height and input.get("entities"):
        table = link(table, read_questions(input.entities))
    if table.height and input.get("annotations"):
        table = join_annotators(table, read_annotators(input.annotations))
    write_table(table, snakemake.output.questions)
