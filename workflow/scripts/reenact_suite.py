"""Score the suite's pairs cleanly and with the one-position shift of the released evaluation code."""

from functools import partial

from overtime.audit import shifted_scores
from overtime.files import read_table, write_table
from overtime.runs import evaluate
from overtime.step import step

with step(snakemake):
    score = partial(shifted_scores, pairs=read_table(snakemake.input.pairs))
    [[scores]] = evaluate([snakemake.input.model], score, last_only=True)
    write_table(scores, snakemake.output.scores)
