"""Accuracy before and after documents were inserted, by number of documents."""

from overtime.facts import insertion_table
from overtime.files import read_run, read_table, write_table
from overtime.step import step

with step(snakemake):
    input = snakemake.input
    before, after = ([read_run(path) for path in paths] for paths in (input.before, input.after))
    questions, targets = read_table(input.questions), read_table(input.targets)
    table = insertion_table(before, after, questions, targets, **snakemake.params.statistics)
    write_table(table, snakemake.output.table)
