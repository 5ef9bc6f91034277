"""Case study 2: does accuracy follow the number of relevant documents, and what do retrieved passages change?

Measured comparisons rest on the largest pretrained model with an entity map where one was asked as it takes, else on the baseline
runs of the suite, averaged over seeds and then over those sizes that answer neither nearly none nor nearly all.
Proxies rest on the largest pretrained model and the project's own questions; those on questions from an encyclopedia are in
`encyclopedia_evidence`. They are never pooled.
"""

import polars as pl

from overtime import InputError
from overtime.claims.evidence import SHARE, MissingEvidence, Sample, Tables, array, ordered_models
from overtime.claims.facts_answers import CLOSED_BOOK, Answers, suite_closed_book, suite_with_passages
from overtime.claims.facts_quantities import (
    fall_of_trend,
    gain_of_rare,
    gap_at_cut,
    loss_of_frequent,
    trend_with_count,
    trend_with_gold,
    trend_with_passages,
    trend_within_thirds,
)
from overtime.claims.pretrained_answers import largest_set, on_own_questions, pretrained
from overtime.files import require_unique
from overtime.statistics import mean_of, spearman_of
from overtime.tables import RARE

TALKS_LARGEST = 176  # billions of parameters (06:20)
WITHIN = "comentions"


def count_trend(tables: Tables, *, within: str | None = None, variant: str | None = None) -> Sample:
    """Measured: rank correlation of the number of documents that state a fact and closed-book correctness.

    within "comentions": the mean of that within thirds of the documents that name both, and state nothing. Of pretrained models
    relevant documents are counted, which state a fact or not.
    """
    answers = _closed_book(tables, variant)
    scores = answers.under(CLOSED_BOOK).able(CLOSED_BOOK)
    if within is None:
        return trend_with_count(scores, CLOSED_BOOK, "statements" if answers.generated else "count")
    if within != WITHIN:
        raise InputError(f"within {within}: unknown; known is {WITHIN}")
    if not answers.generated:
        raise MissingEvidence("of the documents of pretrained models it is not known which state a fact, and which only name it")
    return trend_within_thirds(scores, CLOSED_BOOK, "statements", WITHIN)


def rare_gap(tables: Tables, *, cut: int = RARE, variant: str | None = None) -> Sample:
    """Measured: closed-book accuracy on questions with 1 to `cut` relevant documents minus accuracy on those with more."""
    return gap_at_cut(_closed_book(tables, variant), 1, cut, cut + 1)


def average_accuracy(tables: Tables) -> Sample:
    """Measured: closed-book accuracy of the model with 176 billion parameters, on the question set with the most questions."""
    largest = tables.read("models", "model", "parameters").filter(pl.col("parameters").round() == TALKS_LARGEST)
    answers = tables.read("set_answers", "set", "model", "condition", "question", "correct")
    rows = answers.filter(condition=CLOSED_BOOK).join(largest.select("model"), on="model", how="semi")
    if rows.is_empty():
        raise MissingEvidence(f"no model with {TALKS_LARGEST} billion parameters answered questions")
    rows = largest_set(rows.filter(model=ordered_models(tables, rows["model"])[-1]))
    require_unique(rows, ["question"], "answers")
    model, name = rows["model"][0], rows["set"][0]
    runs = {model: [mean_of(array(rows, "correct"))]}
    return Sample(f"closed-book accuracy ({model} on {name})", {"questions": rows["question"].to_numpy()}, runs, limits=SHARE)


def retrieval_fall(tables: Tables, *, condition: str | None = None) -> Sample:
    """Measured: rank correlation of document count and correctness, closed book minus with passages (default: the most)."""
    return fall_of_trend(_with_passages(tables), condition)


def retrieval_rare_gain(tables: Tables, *, condition: str | None = None) -> Sample:
    """Measured: accuracy with passages minus closed-book accuracy on questions with at most 99 documents."""
    return gain_of_rare(_with_passages(tables), condition)


def retrieval_frequent_loss(tables: Tables, *, condition: str | None = None) -> Sample:
    """Measured: closed-book accuracy minus accuracy with passages on questions with at least 100 documents."""
    return loss_of_frequent(_with_passages(tables), condition)


def retrieval_decline(tables: Tables, *, world: str = "gradient") -> Sample:
    """Measured: rank correlation of document count and correctness with the most passages.

    world: "gradient", whose distractors rise with the count, or "flat"; real questions are as they are.
    """
    return trend_with_passages(_with_passages(tables), world)


def gold_trend(tables: Tables, *, world: str = "gradient") -> Sample:
    """Measured: rank correlation of document count and correctness with the passage that holds the answer; `world` as above."""
    return trend_with_gold(_with_passages(tables), world)


def proxy_count_trend(tables: Tables) -> Sample:
    """Proxy: rank correlation of word frequency and closed-book correctness on the project's own questions."""
    return trend_with_count(on_own_questions(tables).under(CLOSED_BOOK).able(CLOSED_BOOK), CLOSED_BOOK)


def proxy_retrieval_fall(tables: Tables, *, condition: str | None = None) -> Sample:
    """Proxy: that correlation closed book minus with passages."""
    return fall_of_trend(on_own_questions(tables, passages=True), condition)


def proxy_retrieval_rare_gain(tables: Tables, *, condition: str | None = None) -> Sample:
    """Proxy: accuracy with passages minus closed book where the rarer name occurs at most 99 times in a billion words."""
    return gain_of_rare(on_own_questions(tables, passages=True), condition)


def proxy_retrieval_frequent_loss(tables: Tables, *, condition: str | None = None) -> Sample:
    """Proxy: closed-book accuracy minus accuracy with passages where it occurs at least 100 times."""
    return loss_of_frequent(on_own_questions(tables, passages=True), condition)


def proxy_retrieval_decline(tables: Tables) -> Sample:
    """Proxy: rank correlation of word frequency and correctness with the most passages."""
    return trend_with_passages(on_own_questions(tables, passages=True), "gradient")


def proxy_gold_trend(tables: Tables) -> Sample:
    """Proxy: rank correlation of word frequency and correctness with the passage that holds the answer."""
    return trend_with_gold(on_own_questions(tables, passages=True), "gradient")


def human_trend(tables: Tables) -> Sample:
    """Measured: rank correlation of document count and how many annotators of a question are right, each judged by the others.

    The talk's human line; of several corpora that were counted, the first by name.
    """
    try:
        people = tables.read("sets", "set", "question", "human").drop_nulls("human")
        counts = tables.read("set_counts", "set", "corpus", "question", "count").sort("corpus")
    except MissingEvidence:
        people = counts = pl.DataFrame(schema={"set": pl.String, "question": pl.Int64, "human": pl.Float64, "count": pl.Int64})
    first = counts.unique(["set", "question"], keep="first", maintain_order=True)
    table = people.join(first.select("set", "question", "count"), on=["set", "question"])
    if table.is_empty():
        raise MissingEvidence("the question sets at hand have no answers of several human annotators")
    table = largest_set(table)
    trend = spearman_of(array(table, "count"), array(table, "human"))
    quantity = f"rank correlation of document count and human accuracy ({table['set'][0]})"
    return Sample(quantity, {"questions": table["question"].to_numpy()}, {"people": [trend]})


def _closed_book(tables: Tables, variant: str | None) -> Answers:
    """Closed-book answers of pretrained models with counts where there are any, else of the suite; only it has variants."""
    real = pretrained(tables)
    if real is not None and variant is not None:
        raise MissingEvidence(f"real questions have no variant {variant}")
    return real or suite_closed_book(tables, variant)


def _with_passages(tables: Tables) -> Answers:
    """Answers with passages of pretrained models with counts where there are any, else of the suite."""
    return pretrained(tables, passages=True) or suite_with_passages(tables)
