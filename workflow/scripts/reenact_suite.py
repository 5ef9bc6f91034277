"""Score the suite's pairs cleanly and with the one-position shift of the released evaluation code."""

from overtime.bias.shifted_scoring import shifted_scores
from overtime.files import read_table, write_table
from overtime.models.likelihood import score_pairs
from overtime.models.load import load
from overtime.pipeline.step import step
from overtime.training.runs import evaluate

with step(snakemake):
    run, pairs = snakemake.input.model, read_table(snakemake.input.pairs)
    model, tokenizer = load(run)

    def score():
        return shifted_scores(model, tokenizer, score_pairs(model, tokenizer, pairs))

    [scores] = evaluate(model, {run: {}}, score, last_only=True)
    write_table(scores, snakemake.output.scores)
