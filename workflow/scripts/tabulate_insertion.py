"""Accuracy before and after documents were inserted, by number of documents."""

from overtime.facts.insertion_table import insertion_table
from overtime.files import read_table, write_table
from overtime.pipeline.step import step
from overtime.tables import MODEL, read_scores, with_parameters

with step(snakemake):
    input = snakemake.input
    before, after = ([read_scores(path, MODEL) for path in paths] for paths in (input.before, input.after))
    questions, targets = read_table(input.questions), read_table(input.targets)
    table = insertion_table(before, after, questions, targets, **snakemake.params.statistics)
    write_table(with_parameters(table, snakemake.params.parameters), snakemake.output.table)
