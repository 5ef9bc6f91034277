"""Score CrowS-Pairs' gender pairs one position off, beside their clean scores; an empty table where the set could not be had."""

from pathlib import Path

import polars as pl

from overtime.bias.sentence_sets import read_crows_pairs_sentences
from overtime.files import read_table, write_table
from overtime.pipeline.step import step

with step(snakemake):
    input, scores = snakemake.input, pl.DataFrame()
    for file in Path(input.crows_pairs).rglob("*.csv"):
        from overtime.bias.shifted_scoring import shifted_scores  # with torch, for which nothing may be to do
        from overtime.models.load import load

        clean = read_table(input.clean).select("pair", "ll_more", "ll_less")
        pairs = read_crows_pairs_sentences(file).filter(bias_type="gender").join(clean, on="pair", maintain_order="left")
        scores = shifted_scores(*load(input.model, **snakemake.params.inference, timings=snakemake.input.timings), pairs)
    write_table(scores, snakemake.output.scores)
