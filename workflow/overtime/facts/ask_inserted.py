"""Asking a published checkpoint that was trained further about the facts that were inserted into its text."""

import polars as pl
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from overtime.facts.answer_match import exact_match
from overtime.facts.ask_pretrained import fitting
from overtime.models.answers import greedy
from overtime.training.runs import Measure


def inserted_answers(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, asked: pl.DataFrame, new: int) -> Measure:
    """A measure of the questions of `read_asked`, closed book: `question`, `entity`, `inserted`, `prediction`, `correct`.

    Answers have at most `new` tokens; a question that leaves no room for them in the model's context is left out.
    """
    asked = fitting(model, tokenizer, asked.rename({"text": "prompt"}), new)

    def answer() -> pl.DataFrame:
        predictions = greedy(model, tokenizer, asked["prompt"].to_list(), new)
        correct = [exact_match(prediction, answers) for prediction, answers in zip(predictions, asked["answers"])]
        said = {"prediction": pl.Series(predictions, dtype=pl.String), "correct": pl.Series(correct)}
        return asked.select("question", "entity", "inserted").with_columns(**said)

    return answer
