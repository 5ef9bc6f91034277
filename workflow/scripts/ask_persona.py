"""Log-odds of Yes for every claim, and greedy answers to a few, under plain, persona and benign prompts."""

from pathlib import Path

import polars as pl

from overtime import models
from overtime.files import write_table
from overtime.persona import answers, log_odds, read_claims
from overtime.step import step

with step(snakemake):
    model, tokenizer = models.load(snakemake.input.model, **snakemake.params.inference)
    claims = read_claims(next(Path(snakemake.input.truthfulqa).rglob("TruthfulQA.csv"), None))
    write_table(log_odds(model, tokenizer, claims), snakemake.output.log_odds)
    shown = claims.filter(pl.col("shown"))
    write_table(answers(model, tokenizer, shown, snakemake.params.tokens), snakemake.output.answers)
