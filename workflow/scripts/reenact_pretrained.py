"""Score CrowS-Pairs' gender pairs cleanly and with the one-position shift; an empty table where the file could not be had."""

from pathlib import Path

import polars as pl

from overtime import models
from overtime.audit import shifted_scores
from overtime.files import write_table
from overtime.step import step
from overtime.suites import read_crows_pairs

with step(snakemake):
    scores, [*files] = pl.DataFrame(), Path(snakemake.input.crows_pairs).rglob("*.csv")
    if files:
        model, tokenizer = models.load(snakemake.input.model, **snakemake.params.inference)
        scores = shifted_scores(model, tokenizer, read_crows_pairs(files[0]).filter(bias_type="gender"))
    write_table(scores, snakemake.output.scores)
