"""Fit a tuned lens on plain text that every installation has: the descriptions of installed packages."""

from overtime import models
from overtime.files import write_table
from overtime.step import step
from overtime.tuning import fit, offline_text

with step(snakemake):
    params = snakemake.params
    model, tokenizer = models.load(snakemake.input.model, **params.inference)
    translators, held_out = fit(model, tokenizer, offline_text(), params.tokens, seed=params.seed)
    translators.save(snakemake.output.lens)
    write_table(held_out, snakemake.output.held_out)
