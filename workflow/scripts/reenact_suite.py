"""Score the suite's pairs cleanly and with the one-position shift of the released evaluation code."""

from overtime import models
from overtime.audit import shifted_scores
from overtime.files import read_table, write_table
from overtime.score import score_pairs
from overtime.step import step

with step(snakemake):
    model, tokenizer = models.load(snakemake.input.model)
    pairs = score_pairs(model, tokenizer, read_table(snakemake.input.pairs))
    write_table(shifted_scores(model, tokenizer, pairs), snakemake.output.scores)
