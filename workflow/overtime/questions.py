"""Question sets for pretrained models, and the few-shot prompts in which they are asked, with and without a passage."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from overtime import InputError
from overtime.facts import normalize
from overtime.retrieve import PassageIndex

RESOURCES = Path(__file__).parent.parent / "resources" / "facts"
ROWS = {"question": pl.Int64, "text": pl.String, "answers": pl.List(pl.String), "passage": pl.String}


def load_questions() -> pl.DataFrame:
    """The project's own questions: `question`, `text`, `answers` (aliases), `passage`, `domain`, `zipf_phrase`, `zipf`, `count`.

    `count` is how often the rarer of subject and answer occurs in a billion words of English (wordfreq 3.1.1, 0 if unlisted): the
    corpora of pretrained models cannot be counted here, so a word list stands in for them.
    """
    table = pl.read_csv(RESOURCES / "questions.csv")
    listed = pl.when(pl.col("zipf") > 0).then(10 ** pl.col("zipf")).otherwise(0).round().cast(pl.Int64)
    return table.with_columns(pl.col("answers").str.split("|"), count=listed)


def read_xquad(path: str | Path) -> pl.DataFrame:
    """Read an XQuAD (or SQuAD 1.1) file: `question` (position), `text`, `answers`, `passage`."""
    try:
        paragraphs = [paragraph for article in json.loads(Path(path).read_bytes())["data"] for paragraph in article["paragraphs"]]
        rows = [
            (item["question"], [answer["text"] for answer in item["answers"]], paragraph["context"])
            for paragraph in paragraphs
            for item in paragraph["qas"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a SQuAD file (data > paragraphs > context, qas)") from error
    return pl.DataFrame([(number, *row) for number, row in enumerate(rows)], ROWS, orient="row")


def read_nq_open(path: str | Path) -> pl.DataFrame:
    """Read NQ-open's JSON Lines of {"question", "answer": [...]}: `question` (position), `text`, `answers`."""
    rows = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            try:
                item = json.loads(line)
                rows.append((number, item["question"], list(item["answer"]), None))
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(f'{path}: line {number + 1} is not {{"question": ..., "answer": [...]}}') from error
    return pl.DataFrame(rows, ROWS, orient="row").drop("passage")


def question_prompts(questions: pl.DataFrame, top: Sequence[int] = (1,), seed: int = 0) -> pl.DataFrame:
    """Four-shot prompts of every condition: `condition`, `question`, `prompt`, `answers`, `hit`.

    questions: `question`, `text`, `answers`, and `passage` for the conditions beyond closed_book. These are bm25_{k} for each k
    of `top` (the k best of all passages, the best one last, next to the question), oracle (the question's own passage) and wrong
    (a passage drawn among those that hold no answer). `hit`: the own passage is among those shown; null for closed_book.
    """
    asked = questions.to_dicts()
    start = answered_questions(passages=False)
    rows = [("closed_book", row["question"], start + _ask(row["text"], []), row["answers"], None) for row in asked]
    start = answered_questions(passages=True)
    for condition, shown in _passages(questions, top, seed).items() if "passage" in questions.columns else ():
        for row, passages in zip(asked, shown):
            prompt = start + _ask(row["text"], passages)
            rows.append((condition, row["question"], prompt, row["answers"], row["passage"] in passages))
    kinds = {"condition": pl.String, "question": pl.Int64, "prompt": pl.String, "answers": ROWS["answers"], "hit": pl.Boolean}
    return pl.DataFrame(rows, kinds, orient="row")


def answered_questions(passages: bool) -> str:
    """The start that all prompts of a condition share: four questions with their answers, each after a passage if asked for."""
    rows = pl.read_csv(RESOURCES / "demonstrations.csv").iter_rows(named=True)
    return "".join(f"{_ask(row['text'], [row['passage']] * passages)} {row['answer']}\n\n" for row in rows)


def _ask(question: str, passages: Sequence[str]) -> str:
    return "".join(f"Passage: {passage}\n" for passage in passages) + f"Question: {question}\nAnswer:"


def _passages(questions: pl.DataFrame, top: Sequence[int], seed: int) -> dict[str, list[list[str]]]:
    """Condition -> the passages shown with each question."""
    pool = questions["passage"].unique(maintain_order=True).to_list()
    hits = PassageIndex.build(pool).search(questions["text"].to_list(), max(top))
    ranked: list[list[str]] = [[] for _ in range(questions.height)]
    for query, passage in hits.select("query", "passage").iter_rows():
        ranked[query].append(pool[passage])
    retrieved = {f"bm25_{k}": [passages[:k][::-1] for passages in ranked] for k in top}
    rng, folded = np.random.default_rng(seed), [normalize(passage) for passage in pool]
    wrong = [[pool[_without(answers, folded, rng)]] for answers in questions["answers"]]
    return {**retrieved, "oracle": [[passage] for passage in questions["passage"]], "wrong": wrong}


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
