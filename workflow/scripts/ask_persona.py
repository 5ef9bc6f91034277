"""Log-odds of Yes for every claim, and greedy answers to a few, under plain, persona and benign prompts."""

from pathlib import Path

import polars as pl

from overtime.attacks.persona_prompts import answers, log_odds
from overtime.attacks.personas import read_persona_claims
from overtime.files import write_table
from overtime.models.load import load
from overtime.pipeline.step import step

with step(snakemake):
    model, tokenizer = load(snakemake.input.model, **snakemake.params.inference, timings=snakemake.input.timings)
    claims = read_persona_claims(next(Path(snakemake.input.truthfulqa).rglob("TruthfulQA.csv"), None))
    write_table(log_odds(model, tokenizer, claims), snakemake.output.log_odds)
    shown = claims.filter(pl.col("shown"))
    write_table(answers(model, tokenizer, shown, snakemake.params.tokens), snakemake.output.answers)
