"""Ask the final model of a run the evaluation questions with the passages of every condition."""

import polars as pl

from overtime.facts.answer_match import exact_match
from overtime.files import read_table, write_table
from overtime.models.answers import greedy
from overtime.pipeline.step import step
from overtime.training.runs import evaluate

with step(snakemake):
    asked = read_table(snakemake.input.passages)

    def answer(model, tokenizer):
        predictions = greedy(model, tokenizer, asked["prompt"].to_list(), max_new_tokens=1)
        correct = [exact_match(prediction, [answer]) for prediction, answer in zip(predictions, asked["answer"])]
        return asked.select("condition", "question", "hit", prediction=pl.Series(predictions), correct=pl.Series(correct))

    [[scores]] = evaluate([snakemake.input.run], answer, last_only=True)
    write_table(scores, snakemake.output.scores)
