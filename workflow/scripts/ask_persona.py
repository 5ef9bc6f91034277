"""Log-odds of Yes for every claim, and greedy answers to the project's own, under plain, persona and benign prompts."""

from pathlib import Path

from overtime.attacks.persona_prompts import answers, log_odds
from overtime.attacks.personas import read_persona_claims
from overtime.files import write_table
from overtime.models.load import load
from overtime.pipeline.step import step

with step(snakemake):
    model, tokenizer = load(snakemake.input.model, **snakemake.params.inference, timings=snakemake.input.timings)
    claims = read_persona_claims(next(Path(snakemake.input.truthfulqa).rglob("TruthfulQA.csv"), None))
    write_table(log_odds(model, tokenizer, claims), snakemake.output.log_odds)
    own = read_persona_claims()
    write_table(answers(model, tokenizer, own, snakemake.params.tokens), snakemake.output.answers)
