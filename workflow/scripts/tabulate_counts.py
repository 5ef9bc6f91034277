"""Accuracy by number of relevant documents, for every model."""

from overtime.facts import accuracy_by_count
from overtime.files import read_run, read_table, write_table
from overtime.step import step

with step(snakemake):
    scores = [read_run(path) for path in snakemake.input.scores]
    table = accuracy_by_count(scores, read_table(snakemake.input.counts), **snakemake.params.bins)
    write_table(table, snakemake.output.table)
