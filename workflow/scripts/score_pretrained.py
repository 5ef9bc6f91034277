"""Score CrowS-Pairs, WinoBias and the neutral contexts with one model; a test that could not be had gives an empty table."""

from overtime import models
from overtime.checkpoints import prepare
from overtime.files import write_table
from overtime.step import step
from overtime.suites import read_suites

with step(snakemake):
    input = snakemake.input
    model, tokenizer = models.load(input.model, **snakemake.params.inference)
    score = prepare(model, tokenizer, read_suites(input.crows_pairs, input.winobias))
    for name, table in score().items():
        write_table(table, snakemake.output[name])
