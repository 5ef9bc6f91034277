"""Ask the final models of all runs of one size the evaluation questions with the passages of every condition."""

from overtime.facts.ask_suite import one_word_answers
from overtime.files import read_table, write_table
from overtime.models.neox import Neox, NeoxConfig
from overtime.pipeline.step import step
from overtime.training.runs import evaluate

with step(snakemake):
    input = snakemake.input
    model = Neox(NeoxConfig.read(input.runs[0]))
    runs = dict(zip(input.runs, snakemake.params.runs))
    [scores] = evaluate(model, runs, one_word_answers(model, input.tokenizer, read_table(input.passages)), last_only=True)
    write_table(scores, snakemake.output.scores)
