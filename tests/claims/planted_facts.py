"""Answers of a suite, and of pretrained models, with effects of documents, insertion and passages planted in them."""

import numpy as np
import polars as pl

from overtime.claims.evidence import declarations

PARAMETERS = {"xs": 1e-5, "s": 1e-4, "m": 4e-4, "tiny-llm": 0.1, "large-llm": 20.6, "talks": 176.25, "nearly": 175.9}
DECLARED = declarations(PARAMETERS, {"tiny-llm": "pile", "large-llm": "pile"}, {}, {})
PASSAGES = ("closed_book", "bm25_1", "bm25_3", "oracle", "wrong", "gradient_bm25_3", "gradient_oracle")
SEEDS = {"xs": (0, 1), "s": (0, 1), "m": (0, 1, 2)}

Scores = dict[tuple[str, str, int], np.ndarray]  # model, arm, seed -> right (1) or wrong (0) [questions]


def runs(scores: Scores, **columns: object) -> pl.DataFrame:
    """Answers to questions 0, 1, ... after the last step, and misleading ones before it."""
    tables = []
    for (model, arm, seed), right in scores.items():
        for step, correct in ((1, 1 - right), (2, right)):
            one = pl.DataFrame({"question": np.arange(len(right)), "correct": correct.astype(bool), "step": step} | columns)
            tables.append(one.with_columns(model=pl.lit(model), arm=pl.lit(arm), seed=pl.lit(str(seed))))
    return pl.concat(tables)


def with_passages(scores: dict[str, Scores], own: float = 1.0) -> pl.DataFrame:
    """Answers by condition, at the last step; `own`: share of questions whose own passage BM25 shows."""
    tables = []
    for condition, of_runs in scores.items():
        table = runs(of_runs).filter(step=2).drop("step").with_columns(condition=pl.lit(condition), hit=pl.lit(True))
        shown = pl.col("question") < own * pl.col("question").n_unique()
        tables.append(table.with_columns(own=shown if "bm25" in condition else pl.lit(condition.endswith("oracle"))))
    return pl.concat(tables)


def world(statements: np.ndarray, comentions: np.ndarray, people: int) -> dict[str, pl.DataFrame]:
    """Questions about this many people, with counts; more questions of the other group, which nobody answers."""
    question = np.arange(len(statements))
    entity = [f"person {number % people}" for number in question]
    asked = pl.DataFrame({"question": question, "entity": entity}).with_columns(group=pl.lit("evaluation"))
    others = asked.with_columns(question=pl.col("question") + len(question), group=pl.lit("training"))
    counts = {"count": statements + comentions, "statements": statements, "comentions": comentions}
    counted = pl.DataFrame({"question": question} | counts)
    return {"questions": pl.concat([asked, others]), "counts": counted, **DECLARED}


def drawn(chance: np.ndarray, models: tuple[str, ...], random: np.random.Generator, arm: str = "baseline") -> Scores:
    """Answers of all runs of these models that are right with a chance [questions]; xs is always wrong."""
    return {
        (model, arm, seed): (random.uniform(size=len(chance)) < chance * (model != "xs")).astype(float)
        for model in models
        for seed in SEEDS[model]
    }


def suite(cause: str, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """600 questions about 200 people, of whom 40 are targets; what makes closed-book answers right is the `cause`.

    "statements": the documents that state the fact; "comentions": those that only name it, of which there are more about facts
    that are stated often; "nothing". With passages answers are mostly right at every count, but seldom about frequent facts in
    the gradient world, and never with a wrong passage. Inserted documents help where statements do, else they confuse.
    """
    statements = np.round(10 ** random.uniform(0, 3, 600)).astype(int)
    related = cause == "comentions"
    comentions = np.round((statements if related else 1) * 10 ** random.uniform(0, 1 if related else 2, 600)).astype(int)
    risen = np.argsort(np.argsort(statements)) / 600
    step = np.array([0.1, 0.5, 0.9])[np.argsort(np.argsort(comentions)) // 200]  # alike within a third of co-mentions
    closed = {"statements": risen, "comentions": step, "nothing": np.full(600, 0.5)}[cause]
    chances = {"closed_book": closed, "wrong": np.zeros(600), "bm25_1": np.full(600, 0.8), "bm25_3": np.full(600, 0.9)}
    chances |= {"oracle": np.full(600, 0.9), "gradient_oracle": 0.95 - 0.8 * risen, "gradient_bm25_3": 0.9 - 0.8 * risen}
    tables = world(statements, comentions, 200)
    answers = drawn(closed, ("xs", "s", "m"), random)
    person = np.arange(600) % 200
    helped = np.where((person % 2 == 0) & (person < 40), 0.95 if cause == "statements" else 0.05, closed)
    late = drawn(np.where(person >= 40, closed - 0.2, helped), ("s", "m"), random, "insert_late")
    spread = drawn(helped, ("s", "m"), random, "insert_spread")
    targets = [(f"person {number}", 100 if number % 2 == 0 else 0) for number in range(40)]
    return tables | {
        "closed_book": runs(answers | late | spread),
        "passages": with_passages({name: drawn(chance, ("s", "m"), random) for name, chance in chances.items()}),
        "targets": pl.DataFrame(targets, ["entity", "inserted"], orient="row"),
    }


def asked_of(model: str, name: str, **correct: np.ndarray) -> pl.DataFrame:
    """Answers of a pretrained model to a question set, correctness by condition; own passages are always shown."""
    tables = [
        pl.DataFrame({"question": np.arange(len(right)), "correct": right.astype(bool)}).with_columns(
            set=pl.lit(name),
            model=pl.lit(model),
            condition=pl.lit(condition),
            own=pl.lit(None if condition == "closed_book" else True, pl.Boolean),
        )
        for condition, right in correct.items()
    ]
    return pl.concat(tables)


def question_set(name: str, count: np.ndarray, passages: list[str] | None = None) -> pl.DataFrame:
    """A set whose counts are a proxy; by default each question has a passage of its own."""
    texts = passages or [f"{name} passage {number}" for number in range(len(count))]
    table = pl.DataFrame({"question": np.arange(len(count)), "count": count, "passage": texts})
    return table.with_columns(set=pl.lit(name), proxy=pl.lit("word frequency"), human=pl.lit(None, pl.Float64))
