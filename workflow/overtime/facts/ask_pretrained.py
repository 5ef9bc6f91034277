"""Asking a pretrained model: few-shot prompts with and without a passage, and its greedy answers to them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from overtime import InputError
from overtime.facts.answer_match import exact_match, normalize
from overtime.facts.bm25 import PassageIndex
from overtime.files import RESOURCES

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

DEMONSTRATIONS = RESOURCES / "facts/demonstrations.csv"
PROMPTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "condition": pl.String,
    "question": pl.Int64,
    "prompt": pl.String,
    "answers": pl.List(pl.String),
    "hit": pl.Boolean,
}
ANSWERS = {"set": pl.String, "model": pl.String, "condition": pl.String, "question": pl.Int64} | {
    "prediction": pl.String,
    "correct": pl.Boolean,
    "hit": pl.Boolean,
}


def answer(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    questions: pl.DataFrame,
    top: Sequence[int],
    max_new_tokens: int,
    seed: int,
) -> pl.DataFrame:
    """Greedy few-shot answers in every condition: `condition`, `question`, `prediction`, `correct` (any alias), `hit`.

    See `question_prompts`. Prompts that conditions have in common (the best passage is mostly the gold one) are read once, and
    so is the start that all prompts of a kind share.
    """
    from overtime.models.answers import greedy

    prompts = question_prompts(questions, top, seed)
    said: dict[str, str] = {}
    for _, group in prompts.group_by(pl.col("condition") == "closed_book"):
        texts = group["prompt"].unique(maintain_order=True).to_list()
        said |= dict(zip(texts, greedy(model, tokenizer, texts, max_new_tokens)))
    predictions = [said[prompt] for prompt in prompts["prompt"]]
    correct = [exact_match(prediction, answers) for prediction, answers in zip(predictions, prompts["answers"])]
    columns = {"prediction": pl.Series(predictions, dtype=pl.String), "correct": pl.Series(correct, dtype=pl.Boolean)}
    return prompts.select("condition", "question", "hit").with_columns(**columns)


def question_prompts(questions: pl.DataFrame, top: Sequence[int] = (1,), seed: int = 0) -> pl.DataFrame:
    """Four-shot prompts of every condition: `condition`, `question`, `prompt`, `answers`, `hit`.

    questions: `question`, `text`, `answers`; `passage` for the conditions beyond closed_book, which questions without one do not
    get; `asked` if not all are asked. Conditions are bm25_{k} for each k of `top` (the k best of all passages, the best one last,
    next to the question), oracle (the question's own passage) and wrong (a passage drawn among those that hold no answer).
    `hit`: the own passage is among those shown; null for closed_book.
    """
    asked = questions.filter("asked") if "asked" in questions.columns else questions
    start = answered_questions(passages=False)
    rows: list[tuple[object, ...]] = [
        ("closed_book", row["question"], start + _ask(row["text"], []), row["answers"], None) for row in asked.to_dicts()
    ]
    pool = questions["passage"].drop_nulls().unique(maintain_order=True).to_list() if "passage" in questions.columns else []
    if pool:
        start, asked = answered_questions(passages=True), asked.drop_nulls("passage")
        for condition, shown in _passages(asked, pool, top, seed).items():
            for row, passages in zip(asked.to_dicts(), shown):
                prompt = start + _ask(row["text"], passages)
                rows.append((condition, row["question"], prompt, row["answers"], row["passage"] in passages))
    return pl.DataFrame(rows, PROMPTS, orient="row")


def answered_questions(passages: bool) -> str:
    """The start that all prompts of a condition share: four questions with their answers, each after a passage if asked for."""
    rows = pl.read_csv(DEMONSTRATIONS).iter_rows(named=True)
    return "".join(f"{_ask(row['text'], [row['passage']] * passages)} {row['answer']}\n\n" for row in rows)


def _ask(question: str, passages: Sequence[str]) -> str:
    return "".join(f"Passage: {passage}\n" for passage in passages) + f"Question: {question}\nAnswer:"


def _passages(asked: pl.DataFrame, pool: list[str], top: Sequence[int], seed: int) -> dict[str, list[list[str]]]:
    """Condition -> the passages shown with each question."""
    hits = PassageIndex.build(pool).search(asked["text"].to_list(), max(top))
    ranked: list[list[str]] = [[] for _ in range(asked.height)]
    for query, passage in hits.select("query", "passage").iter_rows():
        ranked[query].append(pool[passage])
    retrieved = {f"bm25_{k}": [passages[:k][::-1] for passages in ranked] for k in top}
    rng, folded = np.random.default_rng(seed), [normalize(passage) for passage in pool]
    wrong = [[pool[_without(answers, folded, rng)]] for answers in asked["answers"]]
    return {**retrieved, "oracle": [[passage] for passage in asked["passage"]], "wrong": wrong}


def _without(answers: Sequence[str], folded: list[str], rng: np.random.Generator) -> int:
    """Position of a passage, drawn at random, that holds none of the answers."""
    wanted = [normalize(answer) for answer in answers]
    places = rng.permutation(len(folded))
    found = next((place for place in places if not any(f" {answer} " in f" {folded[place]} " for answer in wanted)), None)
    if found is None:
        raise InputError(
            f"wrong passages: every passage holds an answer ({', '.join(answers)}); need passages about other things"
        )
    return int(found)
