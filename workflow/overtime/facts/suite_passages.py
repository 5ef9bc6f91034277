"""Questions of the mini scale with passages: what is shown for every condition, and whether it answers the question."""

import numpy as np
import polars as pl

from overtime import InputError
from overtime.corpora.world_vocabulary import QUESTION_CUE, READING_CUE
from overtime.facts.bm25 import PassageIndex
from overtime.tables import HARDER


def passage_prompts(
    passages: pl.DataFrame, questions: pl.DataFrame, counts: pl.DataFrame, top: list[int], seed: int
) -> pl.DataFrame:
    """A row per condition and question: `condition`, `question`, `prompt`, `answer`, `hit`, `own`.

    passages: `entity`, `attributes` (those stated), `text`, `rising`; counts: `question`, `statements`. Conditions: closed_book;
    bm25_{k} for each k of `top` (best passage last, next to the question), oracle (one passage that states the fact, drawn at
    random); wrong (a passage about somebody else that does not name the answer); and from the rising passages gradient_bm25_{k}
    with the largest k, and gradient_oracle. `own`: a passage that states the fact of this very person is shown; `hit`: one that
    names the answer, whoever it is about; null for closed_book. Questions are those of the evaluation group whose fact a document
    states.
    """
    stated = counts.filter(pl.col("statements") > 0).select("question")
    asked = questions.filter(group="evaluation").join(stated, on="question", how="semi", maintain_order="left")
    flat, rising = (_Shelf(passages, column) for column in ("text", "rising"))
    tables = [
        _rows("closed_book", asked, [[] for _ in range(asked.height)], flat),
        *(_rows(f"bm25_{k}", asked, flat.found(asked, k), flat) for k in top),
        _rows("oracle", asked, flat.gold(asked, seed), flat),
        _rows("wrong", asked, flat.wrong(asked, seed), flat),
        _rows(f"{HARDER}bm25_{max(top)}", asked, rising.found(asked, max(top)), rising),
        _rows(f"{HARDER}oracle", asked, rising.gold(asked, seed), rising),
    ]
    return pl.concat(tables)


class _Shelf:
    """The distinct passages of one column, and which of them state what."""

    def __init__(self, passages: pl.DataFrame, column: str):
        self.texts: list[str] = passages[column].unique(maintain_order=True).to_list()
        self.words = [frozenset(text.split()) for text in self.texts]
        self.stating: dict[tuple[str, str], list[str]] = {}
        for entity, attributes, text in passages.select("entity", "attributes", column).unique(maintain_order=True).iter_rows():
            for attribute in attributes:
                self.stating.setdefault((entity, attribute), []).append(text)

    def found(self, asked: pl.DataFrame, k: int) -> list[list[str]]:
        """The `k` best passages of BM25 for every question, the best one last."""
        found = PassageIndex.build(self.texts).search(asked["text"].to_list(), k)
        ranked = {query: group["passage"].to_list() for (query,), group in found.group_by("query", maintain_order=True)}
        return [[self.texts[i] for i in reversed(ranked.get(query, []))] for query in range(asked.height)]

    def gold(self, asked: pl.DataFrame, seed: int) -> list[list[str]]:
        """A passage that states the fact of each question."""
        rng = np.random.default_rng(seed)
        states = (self.stating[fact] for fact in asked.select("entity", "attribute").iter_rows())
        return [[texts[int(rng.random() * len(texts))]] for texts in states]

    def wrong(self, asked: pl.DataFrame, seed: int) -> list[list[str]]:
        """A passage that neither names the answer nor is about anybody of the person's name."""
        rng = np.random.default_rng(seed)
        return [[self._other(name, answer, rng)] for name, answer in asked.select("name", "answer").iter_rows()]

    def _other(self, name: str, answer: str, rng: np.random.Generator) -> str:
        last = name.rsplit(maxsplit=1)[-1]
        for place in rng.permutation(len(self.texts)):
            if answer not in self.words[place] and last not in self.words[place]:
                text: str = self.texts[place]
                return text
        raise InputError(f"wrong passages: every passage names {last} or {answer}; need one that names neither")


def _rows(condition: str, asked: pl.DataFrame, shown: list[list[str]], shelf: _Shelf) -> pl.DataFrame:
    rows = []
    for row, texts in zip(asked.iter_rows(named=True), shown):
        own = any(text in shelf.stating[row["entity"], row["attribute"]] for text in texts)
        hit = any(row["answer"] in text.split() for text in texts)
        told = (None, None) if condition == "closed_book" else (hit, own)
        rows.append((condition, row["question"], _prompt(row["text"], texts), row["answer"], *told))
    kinds = {"condition": pl.String, "question": pl.UInt32, "prompt": pl.String, "answer": pl.String}
    return pl.DataFrame(rows, kinds | dict.fromkeys(("hit", "own"), pl.Boolean), orient="row")


def _prompt(question: str, passages: list[str]) -> str:
    if not passages:
        return question
    return " ".join([*(f"passage : {text}" for text in passages), question.removesuffix(QUESTION_CUE) + READING_CUE])
