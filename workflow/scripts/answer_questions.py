"""Ask the final models of all runs of one size the evaluation questions, closed book."""

import polars as pl

from overtime.facts.ask_suite import one_word_answers
from overtime.files import read_table, write_table
from overtime.models.neox import Neox, NeoxConfig
from overtime.pipeline.step import step
from overtime.training.runs import evaluate

with step(snakemake):
    input = snakemake.input
    asked = read_table(input.questions).filter(group="evaluation").select("question", "answer", prompt=pl.col("text"))
    model = Neox(NeoxConfig.read(input.runs[0]))
    runs = dict(zip(input.runs, snakemake.params.runs))
    [scores] = evaluate(model, runs, one_word_answers(model, input.tokenizer, asked), last_only=True)
    write_table(scores, snakemake.output.scores)
