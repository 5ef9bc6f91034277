"""Closed-book accuracy by count: the suite, and pretrained models on every question set with counts."""

import polars as pl

from overtime.facts.counted_answers import by_frequency, set_answers, suite_answers
from overtime.facts.counts_table import SPOKEN, counts_table
from overtime.files import read_table, write_table
from overtime.pipeline.step import step
from overtime.tables import MODEL, read_scores, with_parameters

with step(snakemake):
    input, params = snakemake.input, snakemake.params
    suite = suite_answers(
        [read_scores(path, MODEL) for path in input.scores], read_table(input.questions), read_table(input.counts)
    )
    of_sets = [[read_table(path) for path in paths] for paths in (input.answers, input.sets, input.set_counts)]
    sets = set_answers(*of_sets, params.corpora)
    above = suite, pl.concat([sets, by_frequency(sets)])
    tables = [counts_table(answers, **bins, **params.statistics) for answers, bins in zip(above, params.bins)]
    measured = with_parameters(pl.concat(tables), params.parameters)
    write_table(pl.concat([measured, SPOKEN], how="diagonal_relaxed"), snakemake.output.table)
