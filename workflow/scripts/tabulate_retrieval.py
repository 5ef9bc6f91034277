"""Accuracy closed book and with passages, by count where it is known: the suite, and pretrained models on every question set."""

import polars as pl

from overtime.facts.counted_answers import set_answers, suite_answers
from overtime.facts.retrieval_table import retrieval_table
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
    tables = [retrieval_table(answers, **bins) for answers, bins in zip((suite, sets), params.bins)]
    write_table(with_parameters(pl.concat(tables), params.parameters), snakemake.output.table)
