"""Asking a pretrained model: few-shot prompts with and without a passage, and its greedy answers to them."""

import logging
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from overtime import InputError
from overtime.facts.answer_match import answer_forms, exact_match, passage_forms
from overtime.facts.bm25 import PassageIndex
from overtime.files import RESOURCES

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

logger = logging.getLogger(__name__)
DEMONSTRATIONS = RESOURCES / "facts/demonstrations.csv"
PROMPTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "condition": pl.String,
    "question": pl.Int64,
    "prompt": pl.String,
    "answers": pl.List(pl.String),
    "hit": pl.Boolean,
    "own": pl.Boolean,
}
ANSWERS = {"set": pl.String, "model": pl.String, "condition": pl.String, "question": pl.Int64} | {
    "prediction": pl.String,
    "correct": pl.Boolean,
    "hit": pl.Boolean,
    "own": pl.Boolean,
    "left_out": pl.Int64,
}


def answer(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    questions: pl.DataFrame,
    top: Sequence[int],
    max_new_tokens: int,
    seed: int,
) -> pl.DataFrame:
    """Greedy few-shot answers in every condition: `condition`, `question`, `prediction`, `correct` (any alias), `hit`, `own`.

    See `question_prompts`. Prompts that conditions have in common (the best passage is mostly the gold one) are read once, and
    so is the start that all prompts of a kind share. A question one of whose prompts is too long for the model is left out of all
    conditions, so that these are over the same questions; `left_out`, alike in every row, is how many were and were to be asked.
    """
    from overtime.models.answers import greedy

    prompts = fitting(model, tokenizer, question_prompts(questions, top, seed), max_new_tokens)
    left_out = len(_asked(questions)) - prompts["question"].n_unique()
    said: dict[str, str] = {}
    for _, group in prompts.group_by(pl.col("condition") == "closed_book"):
        texts = group["prompt"].unique(maintain_order=True).to_list()
        said |= dict(zip(texts, greedy(model, tokenizer, texts, max_new_tokens)))
    predictions = [said[prompt] for prompt in prompts["prompt"]]
    correct = [exact_match(prediction, answers) for prediction, answers in zip(predictions, prompts["answers"])]
    columns = {"prediction": pl.Series(predictions, dtype=pl.String), "correct": pl.Series(correct, dtype=pl.Boolean)}
    return prompts.select("condition", "question", "hit", "own", left_out=pl.lit(left_out, pl.Int64)).with_columns(**columns)


def fitting(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", prompts: pl.DataFrame, max_new_tokens: int
) -> pl.DataFrame:
    """Those `prompts` (`question`, `prompt`) whose question has none that is too long for the model; the log says how many have.

    Raises InputError if no question is left.
    """
    from overtime.models.answers import leave_room

    fits = pl.Series(leave_room(model, tokenizer, prompts["prompt"].to_list(), max_new_tokens), dtype=pl.Boolean)
    too_long, asked = prompts.filter(~fits)["question"].unique(maintain_order=True), prompts["question"].n_unique()
    if len(too_long):
        reason = f"a prompt is longer than the model's context; the first is question {too_long[0]}"
        logger.info("%d of %d questions are left out: %s", len(too_long), asked, reason)
    if len(too_long) == asked:
        raise InputError("questions: none leaves room for its answer in the model's context; use a model with a longer one")
    return prompts.filter(~pl.col("question").is_in(too_long.implode()))


def _asked(questions: pl.DataFrame) -> pl.DataFrame:
    return questions.filter("asked") if "asked" in questions.columns else questions


def question_prompts(questions: pl.DataFrame, top: Sequence[int] = (1,), seed: int = 0) -> pl.DataFrame:
    """Four-shot prompts of every condition: `condition`, `question`, `prompt`, `answers`, `hit`, `own`.

    questions: `question`, `text`, `answers`; `passage` for the conditions beyond closed_book, which questions without one do not
    get; `asked` if not all are asked (the passages of the others are searched, too). Conditions are bm25_{k} for each k of `top`
    (the k best of all passages, the best one last, next to the question), oracle (the question's own passage) and wrong (a
    passage drawn among those that hold no answer). `hit`: a passage is shown that holds an answer, whatever it is about; `own`:
    the own passage is; null for closed_book. A question for which there is no wrong passage is left out.
    """
    asked, alone = _asked(questions), pl.Series(dtype=pl.Int64)
    prompts = closed_book_prompts(asked["text"].to_list())
    rows: list[tuple[object, ...]] = [
        ("closed_book", row["question"], prompt, row["answers"], None, None) for row, prompt in zip(asked.to_dicts(), prompts)
    ]
    pool = questions["passage"].drop_nulls().unique(maintain_order=True).to_list() if "passage" in questions.columns else []
    if pool:
        start, asked = answered_questions(passages=True), asked.drop_nulls("passage")
        forms = dict(zip(pool, passage_forms(pool)))
        shown = _passages(asked, forms, top, seed)
        alone = asked.filter(pl.Series([not passages for passages in shown["wrong"]], dtype=pl.Boolean))["question"]
        for condition, passages_of in shown.items():
            for row, passages in zip(asked.to_dicts(), passages_of):
                prompt, sought = start + _ask(row["text"], passages), answer_forms(row["answers"])
                hit = any(form in forms[passage] for passage in passages for form in sought)
                rows.append((condition, row["question"], prompt, row["answers"], hit, row["passage"] in passages))
    if len(alone):
        logger.info("%d of %d questions are left out: all other passages hold an answer to them", len(alone), len(asked))
    return pl.DataFrame(rows, PROMPTS, orient="row").filter(~pl.col("question").is_in(alone.implode()))


def answered_questions(passages: bool) -> str:
    """The start that all prompts of a condition share: four questions with their answers, each after a passage if asked for."""
    rows = pl.read_csv(DEMONSTRATIONS).iter_rows(named=True)
    return "".join(f"{_ask(row['text'], [row['passage']] * passages)} {row['answer']}\n\n" for row in rows)


def closed_book_prompts(questions: Sequence[str]) -> list[str]:
    """The four-shot prompt of every question, without a passage."""
    start = answered_questions(passages=False)
    return [start + _ask(question, []) for question in questions]


def _ask(question: str, passages: Sequence[str]) -> str:
    return "".join(f"Passage: {passage}\n" for passage in passages) + f"Question: {question}\nAnswer:"


def _passages(asked: pl.DataFrame, forms: dict[str, str], top: Sequence[int], seed: int) -> dict[str, list[list[str]]]:
    """Condition -> the passages shown with each question; `forms` are those of the pool's passages (`passage_forms`)."""
    pool = list(forms)
    hits = PassageIndex.build(pool).search(asked["text"].to_list(), max(top))
    ranked: list[list[str]] = [[] for _ in range(asked.height)]
    for query, passage in hits.select("query", "passage").iter_rows():
        ranked[query].append(pool[passage])
    retrieved = {f"bm25_{k}": [passages[:k][::-1] for passages in ranked] for k in top}
    return {**retrieved, "oracle": [[passage] for passage in asked["passage"]], "wrong": _wrong_passages(asked, forms, seed)}


def _wrong_passages(asked: pl.DataFrame, forms: dict[str, str], seed: int) -> list[list[str]]:
    """For each question a passage, drawn at random, that is not its own and holds none of the answers; [] where there is none."""
    rng, pool, drawn = np.random.default_rng(seed), list(forms), []
    for own, answers in asked.select("passage", "answers").iter_rows():
        sought, places = answer_forms(answers), rng.permutation(len(pool))
        others = (pool[place] for place in places if pool[place] != own)
        drawn.append(list(islice((one for one in others if not any(form in forms[one] for form in sought)), 1)))
    if drawn and not any(drawn):
        raise InputError("wrong passages: for every question, every passage holds an answer; need passages about other things")
    return drawn
