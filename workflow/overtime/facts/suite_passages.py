"""Questions of the mini scale with passages: what is shown for every condition, and whether it holds the answer."""

import numpy as np
import polars as pl

from overtime import InputError
from overtime.corpora.world_vocabulary import QUESTION_CUE, READING_CUE
from overtime.facts.bm25 import PassageIndex


def passage_prompts(
    documents: pl.DataFrame, questions: pl.DataFrame, counts: pl.DataFrame, top: list[int], seed: int
) -> pl.DataFrame:
    """A row per condition and question: `condition`, `question`, `prompt`, `answer`, `hit`.

    Passages are the distinct biographies among the training documents. Conditions: closed_book; bm25_{k} for each k of `top`
    (best passage last, next to the question), oracle (one passage that states the fact, drawn at random); wrong (a passage about
    somebody else that does not name the answer). `hit`: a passage that is shown names the person and the answer; null for
    closed_book. Questions are those of the evaluation group that at least one document answers.
    """
    rng = np.random.default_rng(seed)
    passages = documents.filter(kind="biography")["text"].unique(maintain_order=True).to_list()
    counted = questions.join(counts.select("question", "count"), on="question", maintain_order="left")
    asked = counted.filter(pl.col("count") > 0, group="evaluation")
    found = PassageIndex.build(passages).search(asked["text"].to_list(), max(top))
    ranked = {query: group["passage"].to_list() for (query,), group in found.group_by("query", maintain_order=True)}
    words = [frozenset(passage.split()) for passage in passages]
    about: dict[str, list[str]] = {}
    for passage in passages:
        about.setdefault(" ".join(passage.split()[:2]), []).append(passage)
    rows = []
    for query, row in enumerate(asked.iter_rows(named=True)):
        states = [passage for passage in about[row["entity"]] if row["answer"] in passage.split()]
        others = (passages[place] for place in rng.permutation(len(passages)) if row["answer"] not in words[place])
        other = next((passage for passage in others if passage not in about[row["entity"]]), None)
        if other is None:
            raise InputError(
                f"wrong passages: every passage names {row['entity']} or {row['answer']}; need one that names neither"
            )
        shown = {
            "closed_book": [],
            **{f"bm25_{k}": [passages[i] for i in reversed(ranked.get(query, [])[:k])] for k in top},
            "oracle": [states[rng.integers(len(states))]],
            "wrong": [other],
        }
        for condition, texts in shown.items():
            hit = any(text in states for text in texts) if condition != "closed_book" else None
            rows.append((condition, row["question"], _prompt(row["text"], texts), row["answer"], hit))
    return pl.DataFrame(rows, ["condition", "question", "prompt", "answer", "hit"], orient="row")


def _prompt(question: str, passages: list[str]) -> str:
    if not passages:
        return question
    return " ".join([*(f"passage : {text}" for text in passages), question.removesuffix(QUESTION_CUE) + READING_CUE])
