"""Ask the final model of a continued run the questions on inserted facts, closed book."""

import polars as pl

from overtime.corpora.insertion_plan import read_asked
from overtime.facts.answer_match import exact_match
from overtime.files import write_table
from overtime.models.answers import greedy
from overtime.models.load import load
from overtime.pipeline.step import step
from overtime.training.runs import evaluate

with step(snakemake):
    run, asked = snakemake.input.run, read_asked(snakemake.input.questions)
    model, tokenizer = load(run)

    def answer():
        predictions = greedy(model, tokenizer, asked["text"].to_list(), snakemake.params.max_new_tokens)
        correct = [exact_match(prediction, answers) for prediction, answers in zip(predictions, asked["answers"])]
        said = {"prediction": pl.Series(predictions, dtype=pl.String), "correct": pl.Series(correct)}
        return asked.select("question", "entity", "inserted").with_columns(**said)

    [scores] = evaluate(model, {run: {}}, answer, last_only=True)
    write_table(scores, snakemake.output.scores)
