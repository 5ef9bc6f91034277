"""Answers of pretrained models as evidence: with counted documents, or with a proxy for them.

Measured: the largest model that has an entity map, on the question set with the most counted questions. Proxies: the largest
model on the project's own questions, with word frequency for documents, and on questions from an encyclopedia, with the articles
that name subject and answer. They are never pooled, and neither are question sets. The unit is the passage that several questions
were written on, of the encyclopedia the article, else the question.
"""

from dataclasses import replace

import polars as pl

from overtime import ARTICLE_COUNT, FEW_COUNTS
from overtime.claims.evidence import MissingEvidence, Tables, ordered_models
from overtime.claims.facts_answers import CLOSED_BOOK, RUN_ANSWERS, Answers
from overtime.files import require_unique
from overtime.tables import RETRIEVED

OWN_QUESTIONS = "own"  # what the project's own question set is called


def pretrained(tables: Tables, passages: bool = False) -> Answers | None:
    """Answers of the largest pretrained model to the largest set that its corpus was counted for; None without any.

    passages: of those that were asked with retrieved passages.
    """
    try:
        answers = tables.read("set_answers", "set", "model", "condition", "question", "correct", "own")
        corpora = tables.read("models", "model", "corpus").select("model", "corpus").drop_nulls()
        counts = tables.read("set_counts", "set", "corpus", "question", "count").select("set", "corpus", "question", "count")
    except MissingEvidence:
        return None
    require_unique(counts, ["set", "corpus", "question"], "counts")
    rows = answers.join(corpora, on="model").join(counts, on=["set", "corpus", "question"])
    return _largest(tables, _asked(rows, passages), pl.format(" ({} on {}, documents of {})", "model", "set", "corpus"))


def on_own_questions(tables: Tables, passages: bool = False) -> Answers:
    """Answers of the largest pretrained model to the project's own questions, whose counts are a proxy."""
    place = pl.format(" ({} on our own questions, word frequency for documents)", "model")
    found = _with_proxy(tables, pl.col("set") == OWN_QUESTIONS, passages, place)
    if found is None:
        raise MissingEvidence(f"no pretrained model answered the question set {OWN_QUESTIONS}" + " with passages" * passages)
    return found


def on_encyclopedia(tables: Tables, passages: bool = False) -> Answers:
    """Answers of the largest pretrained model to questions from the encyclopedia, whose articles stand in for documents.

    Rare are those of the lowest bin of counts, frequent those of the highest; items have their `family`.
    """
    place = pl.format(" ({} on questions from an encyclopedia, its articles for documents)", "model")
    core = (pl.col("proxy") == ARTICLE_COUNT) & pl.col("passage").is_not_null()  # years of birth are asked without
    found = _with_proxy(tables, core, passages, place)
    if found is None:
        raise MissingEvidence("no pretrained model answered questions from the encyclopedia" + " with passages" * passages)
    sets = tables.read("sets", "set", "question", "family").filter(set=found.table["set"][0])
    items = found.items.join(sets.select("question", "family"), on="question", how="left", maintain_order="left")
    lows = FEW_COUNTS[ARTICLE_COUNT]
    return replace(found, items=items, unit="articles", rare=lows[1] - 1, frequent=lows[-1])


def _with_proxy(tables: Tables, chosen: pl.Expr, passages: bool, place: pl.Expr) -> Answers | None:
    """Answers to the `chosen` ones of the questions that bring a proxy for their count."""
    answers = tables.read("set_answers", "set", "model", "condition", "question", "correct", "own")
    sets = tables.read("sets", "set", "question", "passage", "count", "proxy").drop_nulls(["count", "proxy"]).filter(chosen)
    require_unique(sets, ["set", "question"], "questions")
    rows = answers.join(sets.select("set", "question", "count"), on=["set", "question"])
    return _largest(tables, _asked(rows, passages), place)


def _asked(rows: pl.DataFrame, passages: bool) -> pl.DataFrame:
    """The rows of those models and sets that were asked as it takes."""
    wanted = pl.col("condition").str.starts_with(RETRIEVED) if passages else pl.col("condition") == CLOSED_BOOK
    return rows.filter(wanted.any().over("set", "model"))


def _largest(tables: Tables, rows: pl.DataFrame, place: pl.Expr) -> Answers | None:
    """The rows of the largest model on the set with the most questions."""
    if rows.is_empty():
        return None
    model = ordered_models(tables, rows["model"])[-1]
    rows = largest_set(rows.filter(model=model))
    rows = rows.with_columns(seed=pl.lit("0"))
    items = rows.select("question", "count").unique(maintain_order=True)
    items, unit = _with_units(tables, items, rows["set"][0])
    return Answers(rows.select(*RUN_ANSWERS, "set", "correct", "own"), items, [model], unit, False, rows.select(place).item(0, 0))


def largest_set(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of the set with the most questions, in the order of its questions."""
    sizes = rows.group_by("set").agg(pl.col("question").n_unique()).sort("question", "set", descending=[True, False])
    return rows.filter(set=sizes["set"][0]).sort("question")


def _with_units(tables: Tables, items: pl.DataFrame, name: str) -> tuple[pl.DataFrame, str]:
    """The questions of a set with the unit of each, and what units are called."""
    try:
        passages = tables.read("sets", "set", "question", "passage").filter(set=name).select("question", "passage")
    except MissingEvidence:
        passages = pl.DataFrame(schema={"question": items.schema["question"], "passage": pl.String})
    items = items.join(passages, on="question", how="left", maintain_order="left")
    items = items.with_columns(unit=pl.coalesce(pl.col("passage").cast(pl.String), pl.col("question").cast(pl.String)))
    return items.drop("passage"), "questions" if items["unit"].is_unique().all() else "passages"
