"""Score the suite's pairs cleanly and with the one-position shift of the released evaluation code."""

from overtime.audit import shifted_scores
from overtime.files import read_table, write_table
from overtime.runs import evaluate
from overtime.score import score_pairs
from overtime.step import step

with step(snakemake):
    pairs = read_table(snakemake.input.pairs)

    def score(model, tokenizer):
        return shifted_scores(model, tokenizer, score_pairs(model, tokenizer, pairs))

    [[scores]] = evaluate([snakemake.input.model], score, last_only=True)
    write_table(scores, snakemake.output.scores)
