"""Case study 2: does accuracy follow the number of relevant documents, and what do insertion and retrieval change?

Counts are documents of the training data. Where pretrained models have an entity map, the largest of them is judged on the
question set with the most counted questions, and the unit is the question; else the suite's largest model, whose scores are
averaged over its seeds, and the unit is the entity that questions are about, because they share documents. The two are never
pooled, and neither are question sets.
"""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overtime.claims.evidence import DIFFERENCE, MissingEvidence, Sample, Tables, arm, array, ordered_models, over_runs, paired
from overtime.statistics import Weights, among, mean_of, spearman_of
from overtime.tables import RARE, RETRIEVED, last_step


@dataclass(frozen=True)
class Counted:
    """Answers of one model under some conditions [questions], with document counts and independent units."""

    count: NDArray[np.float64]
    correct: dict[str, NDArray[np.float64]]
    units: NDArray[np.generic]
    unit: str
    model: str
    place: str = ""  # what the quantity adds about model and questions, nothing for the suite


def _counted(tables: Tables, *conditions: str) -> Counted:
    """Answers under all of `conditions`, of the largest pretrained model with counts or, where there is none, of the suite.

    A model that answers all questions alike (none right, at the smallest scales) is no evidence about what accuracy follows.
    """
    answers = _of_pretrained(tables, conditions) or _of_suite(tables, conditions)
    for condition, correct in answers.correct.items():
        if np.ptp(correct) == 0:
            raise MissingEvidence(f"all {len(correct)} questions are answered alike ({answers.model}, {condition})")
    return answers


def _of_pretrained(tables: Tables, conditions: tuple[str, ...]) -> Counted | None:
    try:
        answers = tables.read("set_answers", "set", "model", "condition", "question", "correct")
        corpora = tables.read("models", "model", "corpus").select("model", "corpus").drop_nulls()
        counts = tables.read("set_counts", "set", "corpus", "question", "count").select("set", "corpus", "question", "count")
    except MissingEvidence:
        return None
    rows = answers.join(corpora, on="model").join(counts, on=["set", "corpus", "question"])
    wide = rows.filter(pl.col("condition").is_in(conditions)).pivot(
        "condition", index=["set", "model", "corpus", "question", "count"], values="correct"
    )
    if not set(conditions) <= set(wide.columns) or (wide := wide.drop_nulls(list(conditions))).is_empty():
        return None
    wide = wide.filter(model=ordered_models(tables, wide["model"])[-1])
    of_set = _largest_set(wide)
    correct = {condition: array(of_set, condition) for condition in conditions}
    first = of_set.row(0, named=True)
    place = f" ({first['model']} on {first['set']}, documents of {first['corpus']})"
    return Counted(array(of_set, "count"), correct, of_set["question"].to_numpy(), "questions", first["model"], place)


def _largest_set(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of the set with the most questions, in the order of its questions."""
    sizes = rows.group_by("set").len().sort("len", "set", descending=[True, False])
    return rows.filter(set=sizes["set"][0]).sort("question")


def _of_suite(tables: Tables, conditions: tuple[str, ...]) -> Counted:
    questions = tables.read("questions", "question", "entity", "group").filter(pl.col("group") == "evaluation")
    counts = tables.read("counts", "question", "count").select("question", "count")
    table = questions.select("question", "entity").join(counts, on="question", maintain_order="left")
    for condition in conditions:
        base = arm(_suite_answers(tables, condition, len(conditions) == 1), "baseline")
        model = ordered_models(tables, base["model"])[-1]
        answers = over_runs(base.filter(pl.col("model") == model), ["question"], "correct")
        table = table.join(answers.rename({"correct": condition}), on="question", maintain_order="left")
    table = table.sort("question")
    correct = {condition: array(table, condition) for condition in conditions}
    return Counted(array(table, "count"), correct, table["entity"].to_numpy(), "entities", model)


def _suite_answers(tables: Tables, condition: str, alone: bool) -> pl.DataFrame:
    """Closed-book answers come from all questions if they stand alone, else from those that were asked with passages too."""
    if condition == "closed_book" and alone:
        return _closed_book(tables)
    answers = tables.read("passages", "model", "arm", "seed", "condition", "question", "correct")
    if (rows := answers.filter(pl.col("condition") == condition)).is_empty():
        raise MissingEvidence(f"no answers under the condition {condition}")
    return rows


def _closed_book(tables: Tables) -> pl.DataFrame:
    return last_step(tables.read("closed_book", "model", "arm", "seed", "step", "question", "correct"))


def count_trend(tables: Tables) -> Sample:
    """Measured: rank correlation of document count and closed-book correctness."""
    answers = _counted(tables, "closed_book")
    trend = spearman_of(answers.count, answers.correct["closed_book"])
    return Sample(f"rank correlation of document count and accuracy{answers.place}", answers.unit, trend, answers.units)


def rare_gap(tables: Tables) -> Sample:
    """Measured: closed-book accuracy on questions with at most 99 relevant documents, minus accuracy on all questions."""
    answers = _counted(tables, "closed_book")
    rare, correct = np.flatnonzero(answers.count <= RARE), answers.correct["closed_book"]
    if len(rare) in (0, len(correct)):
        raise MissingEvidence(f"counts are not on both sides of {RARE}{answers.place}")
    among_rare, overall = among(mean_of(correct[rare]), rare), mean_of(correct)

    def gap(weights: Weights) -> np.ndarray:
        return among_rare(weights) - overall(weights)

    return Sample(f"accuracy at most {RARE} documents minus overall{answers.place}", answers.unit, gap, answers.units, DIFFERENCE)


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


def _fewest_passages(tables: Tables) -> tuple[str, str]:
    """The condition with the fewest passages that BM25 retrieved, and these passages in words."""
    found: set[str] = set()
    for name in ("passages", "set_answers"):
        with suppress(MissingEvidence):
            found |= set(tables.read(name, "condition")["condition"])
    numbers = [int(condition.removeprefix(RETRIEVED)) for condition in found if condition.startswith(RETRIEVED)]
    if not numbers:
        raise MissingEvidence("no model was asked with retrieved passages")
    fewest = min(numbers)
    return f"{RETRIEVED}{fewest}", "a retrieved passage" if fewest == 1 else f"{fewest} retrieved passages"


def retrieval_flattening(tables: Tables) -> Sample:
    """Measured: rank correlation of document count and correctness, closed-book minus with BM25's passage, same questions."""
    condition, passages = _fewest_passages(tables)
    answers = _counted(tables, "closed_book", condition)
    alone, helped = (spearman_of(answers.count, answers.correct[name]) for name in ("closed_book", condition))

    def difference(weights: Weights) -> np.ndarray:
        return alone(weights) - helped(weights)

    quantity = f"rank correlation of count and accuracy, closed-book minus with {passages}"
    return Sample(quantity + answers.place, answers.unit, difference, answers.units)


def retrieval_trend(tables: Tables) -> Sample:
    """Measured: rank correlation of document count and correctness with BM25's passage."""
    condition, passages = _fewest_passages(tables)
    answers = _counted(tables, condition)
    trend = spearman_of(answers.count, answers.correct[condition])
    quantity = f"rank correlation of count and accuracy with {passages}{answers.place}"
    return Sample(quantity, answers.unit, trend, answers.units)


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
    table = _largest_set(table)
    trend = spearman_of(array(table, "count"), array(table, "human"))
    quantity = f"rank correlation of count and human accuracy ({table['set'][0]})"
    return Sample(quantity, "questions", trend, table["question"].to_numpy())
