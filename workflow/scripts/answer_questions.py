"""Ask the final model of a run the evaluation questions, closed book."""

import polars as pl

from overtime.facts.answer_match import exact_match
from overtime.files import read_table, write_table
from overtime.models.answers import greedy
from overtime.pipeline.step import step
from overtime.training.runs import evaluate

with step(snakemake):
    asked = read_table(snakemake.input.questions).filter(group="evaluation")

    def answer(model, tokenizer):
        predictions = greedy(model, tokenizer, asked["text"].to_list(), max_new_tokens=1)
        correct = [exact_match(prediction, [answer]) for prediction, answer in zip(predictions, asked["answer"])]
        return asked.select("question", prediction=pl.Series(predictions), correct=pl.Series(correct))

    [[scores]] = evaluate([snakemake.input.run], answer, last_only=True)
    write_table(scores, snakemake.output.scores)
