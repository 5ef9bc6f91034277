"""Margins of WinoBias sentences against those of the same models by others; a line for each model whose do not agree."""

import logging

import polars as pl

from overtime.bias.independent_check import disagreements, independent_check
from overtime.files import read_table, write_table
from overtime.pipeline.step import step

with step(snakemake):
    names = snakemake.params.names
    scores = {model: read_table(path) for model, path in zip(names, snakemake.input.scores, strict=True)}
    table = independent_check(scores, names, pl.read_csv(snakemake.input.independent))
    write_table(table, snakemake.output.table)
    for line in disagreements(table):
        logging.getLogger("overtime").warning("%s", line)
