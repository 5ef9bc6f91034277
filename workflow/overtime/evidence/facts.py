"""Case study 2: does accuracy follow the number of relevant documents, and what do insertion and retrieval change?

Scores are averaged over the seeds of a model. The unit is the entity that the questions are about: its questions share documents.
Where the talk speaks of one model family, the comparison takes its largest member at hand. The tables hold one question set.
"""

import numpy as np
import polars as pl

from overtime.evidence.tables import DIFFERENCE, MissingEvidence, Sample, Tables, arm, array, final, over_runs, paired, size
from overtime.weighted import Weights, among, mean_of, spearman_of

RARE = 99  # one- or two-digit document counts


def _counted(tables: Tables, answers: pl.DataFrame) -> pl.DataFrame:
    """Mean correctness per evaluation question of the largest model's baseline, with document count and entity.

    A model that answers all questions alike (none right, at the smallest scales) is no evidence about what accuracy follows.
    """
    questions = tables.read("questions", "question", "entity", "group").filter(pl.col("group") == "evaluation")
    counts = tables.read("counts", "question", "count").select("question", "count")
    base = arm(answers, "baseline")
    largest = max(base["model"].unique(), key=size)
    table = (
        over_runs(base.filter(pl.col("model") == largest), ["question"], "correct")
        .join(questions.select("question", "entity"), on="question")
        .join(counts, on="question")
        .sort("question")
    )
    if table["correct"].n_unique() < 2:
        raise MissingEvidence(f"model {largest} answers all {len(table)} questions alike, so its accuracy follows nothing")
    return table


def _closed_book(tables: Tables) -> pl.DataFrame:
    return final(tables.read("closed_book", "model", "arm", "seed", "step", "question", "correct"))


def _with_passages(tables: Tables, condition: str) -> pl.DataFrame:
    answers = tables.read("passages", "model", "arm", "seed", "condition", "question", "correct")
    rows = answers.filter(pl.col("condition") == condition)
    if not len(rows):
        raise MissingEvidence(f"no answers under the condition {condition}")
    return _counted(tables, rows)


def count_trend(tables: Tables) -> Sample:
    """Measured: rank correlation of document count and closed-book correctness."""
    table = _counted(tables, _closed_book(tables))
    trend = spearman_of(array(table, "count"), array(table, "correct"))
    return Sample("rank correlation of document count and accuracy", "entities", trend, table["entity"].to_numpy())


def rare_gap(tables: Tables) -> Sample:
    """Measured: closed-book accuracy on questions with at most 99 relevant documents, minus accuracy on all questions."""
    table = _counted(tables, _closed_book(tables))
    rare = np.flatnonzero(array(table, "count") <= RARE)
    if len(rare) in (0, len(table)):
        raise MissingEvidence(f"counts are not on both sides of {RARE}")
    correct = array(table, "correct")
    among_rare, overall = among(mean_of(correct[rare]), rare), mean_of(correct)

    def gap(weights: Weights) -> np.ndarray:
        return among_rare(weights) - overall(weights)

    return Sample(f"accuracy at most {RARE} documents minus overall", "entities", gap, table["entity"].to_numpy(), DIFFERENCE)


def insertion_gain(tables: Tables) -> Sample:
    """Measured: gain in final closed-book accuracy with 100 inserted documents beyond the change of facts without any.

    Change = insertion arm minus the same model's baseline, mean over late and spread insertion; the group with none removes what
    the new run changed for every fact.
    """
    targets = tables.read("targets", "entity", "inserted").filter(pl.col("inserted").is_in([0, 100]))
    questions = tables.read("questions", "question", "entity").select("question", "entity")
    answers = _closed_book(tables).join(questions, on="question").join(targets.select("entity", "inserted"), on="entity")
    inserted = answers.filter(pl.col("arm").is_in(["insert_late", "insert_spread"]))
    base = arm(answers, "baseline").join(inserted.select("model").unique(), on="model", how="semi")
    if not len(inserted) or not len(base):
        raise MissingEvidence("no model was trained with inserted documents")
    item = ["entity", "question", "inserted"]
    both = paired(over_runs(inserted, item, "correct"), over_runs(base, item, "correct"), item, "correct")
    change, dose = array(both, "correct") - array(both, "other"), array(both, "inserted")
    groups = [np.flatnonzero(dose == documents) for documents in (100, 0)]
    if not all(len(group) for group in groups):
        raise MissingEvidence("targets need a group with 100 and a group with 0 inserted documents")
    treated, control = (among(mean_of(change[group]), group) for group in groups)

    def gain(weights: Weights) -> np.ndarray:
        return treated(weights) - control(weights)

    return Sample("accuracy gain with 100 inserted documents beyond 0", "entities", gain, both["entity"].to_numpy(), DIFFERENCE)


def retrieval_flattening(tables: Tables) -> Sample:
    """Measured: rank correlation of document count and correctness, closed-book minus with one BM25 passage, same questions."""
    closed = _with_passages(tables, "closed_book")
    both = paired(closed, _with_passages(tables, "bm25_1"), ["question"], "correct")
    count = array(both, "count")
    alone, helped = spearman_of(count, array(both, "correct")), spearman_of(count, array(both, "other"))

    def difference(weights: Weights) -> np.ndarray:
        return alone(weights) - helped(weights)

    quantity = "rank correlation of count and accuracy, closed-book minus with a retrieved passage"
    return Sample(quantity, "entities", difference, both["entity"].to_numpy())


def retrieval_trend(tables: Tables) -> Sample:
    """Measured: rank correlation of document count and correctness with one BM25 passage."""
    table = _with_passages(tables, "bm25_1")
    trend = spearman_of(array(table, "count"), array(table, "correct"))
    return Sample(
        "rank correlation of count and accuracy with a retrieved passage", "entities", trend, table["entity"].to_numpy()
    )


def human_trend(tables: Tables) -> Sample:
    """Measured: rank correlation of document count and the correctness of human answers (`annotators`: question, correct).

    The talk's human line needs questions with several annotators' answers, each scored against the others'.
    """
    try:
        humans = tables.read("annotators", "question", "correct")
    except MissingEvidence as error:
        raise MissingEvidence("the question sets at hand have no answers of several human annotators") from error
    counts = tables.read("counts", "question", "count").select("question", "count")
    table = humans.group_by("question").agg(pl.mean("correct")).join(counts, on="question").sort("question")
    trend = spearman_of(array(table, "count"), array(table, "correct"))
    return Sample("rank correlation of count and human accuracy", "questions", trend, table["question"].to_numpy())


COMPARISONS = (count_trend, rare_gap, insertion_gain, retrieval_flattening, retrieval_trend, human_trend)
