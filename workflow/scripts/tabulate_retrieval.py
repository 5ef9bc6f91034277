"""Accuracy closed book and with passages, by count where it is known: the suite, and pretrained models on every question set."""

import polars as pl

from overtime.accuracy import retrieval_table, set_answers, suite_answers
from overtime.files import read_run, read_table, write_table
from overtime.step import step

with step(snakemake):
    input, params = snakemake.input, snakemake.params
    suite = suite_answers([read_run(path) for path in input.scores], read_table(input.questions), read_table(input.counts))
    of_sets = [[read_table(path) for path in paths] for paths in (input.answers, input.sets, input.set_counts)]
    sets = set_answers(*of_sets, params.corpora)
    tables = [retrieval_table(answers, **bins) for answers, bins in zip((suite, sets), params.bins)]
    write_table(pl.concat(tables), snakemake.output.table)
