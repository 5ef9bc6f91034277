"""Accuracy by number of relevant documents, closed book and with passages."""

from overtime.facts import retrieval_table
from overtime.files import read_run, read_table, write_table
from overtime.step import step

with step(snakemake):
    scores = [read_run(path) for path in snakemake.input.scores]
    table = retrieval_table(scores, read_table(snakemake.input.counts), **snakemake.params.bins)
    write_table(table, snakemake.output.table)
