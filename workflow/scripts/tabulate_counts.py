"""Closed-book accuracy by count: the suite, and pretrained models on every question set with counts."""

import polars as pl

from overtime.accuracy import SPOKEN, accuracy_by_count, set_answers, suite_answers
from overtime.files import read_run, read_table, write_table
from overtime.step import step

with step(snakemake):
    input, params = snakemake.input, snakemake.params
    suite = suite_answers([read_run(path) for path in input.scores], read_table(input.questions), read_table(input.counts))
    of_sets = [[read_table(path) for path in paths] for paths in (input.answers, input.sets, input.set_counts)]
    sets = set_answers(*of_sets, params.corpora)
    tables = [accuracy_by_count(answers, **bins, **params.statistics) for answers, bins in zip((suite, sets), params.bins)]
    write_table(pl.concat([*tables, SPOKEN], how="diagonal_relaxed"), snakemake.output.table)
