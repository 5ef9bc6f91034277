"""Score CrowS-Pairs' gender pairs one position off, beside their clean scores; an empty table where the set could not be had."""

from pathlib import Path

import polars as pl

from overtime import models
from overtime.audit import shifted_scores
from overtime.files import read_table, write_table
from overtime.step import step
from overtime.suites import read_crows_pairs

with step(snakemake):
    input, scores = snakemake.input, pl.DataFrame()
    for file in Path(input.crows_pairs).rglob("*.csv"):
        clean = read_table(input.clean).select("pair", "ll_more", "ll_less")
        pairs = read_crows_pairs(file).filter(bias_type="gender").join(clean, on="pair", maintain_order="left")
        scores = shifted_scores(*models.load(input.model, **snakemake.params.inference), pairs)
    write_table(scores, snakemake.output.scores)
