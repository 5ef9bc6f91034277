"""Asking models of the suite: every answer is one word, the likeliest one after the prompt."""

import polars as pl

from overtime.facts.answer_match import exact_match
from overtime.models.neox import Neox
from overtime.models.next_words import lay_out_prompts, next_logits
from overtime.models.vocabulary import END_ID, encode, word_ids
from overtime.training.runs import Measure


def one_word_answers(model: Neox, tokenizer: str, asked: pl.DataFrame) -> Measure:
    """A measure of questions: `asked` without its columns `prompt` and `answer`, and with `prediction` and `correct`.

    A model that ends the text instead of answering predicts nothing.
    """
    batches = lay_out_prompts(encode(asked["prompt"].to_list(), tokenizer, model.config.max_position_embeddings))
    words = {number: word for word, number in word_ids(tokenizer).items()} | {END_ID: ""}

    def answer() -> pl.DataFrame:
        predictions = [words[number] for number in next_logits(model, batches).argmax(-1).tolist()]
        correct = [exact_match(prediction, [right]) for prediction, right in zip(predictions, asked["answer"])]
        return asked.select(pl.exclude("prompt", "answer"), prediction=pl.Series(predictions), correct=pl.Series(correct))

    return answer
