"""Answers to factual questions as evidence: scores of runs on the same questions, and those of the suite.

The unit is the person of the generated world that questions are about, because they share documents.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overtime import InputError
from overtime.claims.evidence import MissingEvidence, Sample, Tables, arm, by_run, in_world, ordered_models
from overtime.files import require_unique
from overtime.statistics import Statistic
from overtime.tables import RARE, RETRIEVED, last_step

CLOSED_BOOK, GOLD, WRONG = "closed_book", "oracle", "wrong"  # conditions beside bm25_{k}
CHANGE = "change"  # by documents inserted, as a condition
GRADIENT = "gradient_"  # begins those of the world whose distractors rise with the count
ABLE = (0.05, 0.95)  # accuracies between which a trend has room to show
RUN_ANSWERS = ["model", "seed", "condition", "question"]
ByCondition = Mapping[str, NDArray[np.float64]]  # condition -> scores of one run [items]


@dataclass(frozen=True)
class Scores:
    """Right (1) or wrong (0) of every run on the same questions.

    `items`: a row for each (`question`, `unit`, `count`, of the suite also `statements` and `comentions`, of an encyclopedia
    `family`). `of`: condition -> model -> scores [runs, items]. `note`: what was left out.
    """

    items: pl.DataFrame
    of: Mapping[str, Mapping[str, NDArray[np.float64]]]
    unit: str
    place: str = ""
    note: str = ""

    def able(self, condition: str) -> "Scores":
        """Without the models whose accuracy under the condition leaves no room for a trend; MissingEvidence if none is left."""
        accuracy = {model: float(own.mean()) for model, own in self.of[condition].items()}
        left_out = ", ".join(f"{model} {own:.2f}" for model, own in accuracy.items() if not ABLE[0] <= own <= ABLE[1])
        kept = [model for model, own in accuracy.items() if ABLE[0] <= own <= ABLE[1]]
        outside = f"{in_words(condition)} is not between {ABLE[0]} and {ABLE[1]} ({left_out})"
        if not kept:
            raise MissingEvidence(outside + self.place)
        of = {name: {model: own[model] for model in kept} for name, own in self.of.items()}
        over = f"over {', '.join(kept)}" if len(accuracy) > 1 else ""
        notes = (over, f"left out where {outside}" if left_out else "", self.note)
        return replace(self, of=of, note="; ".join(filter(None, notes)))

    def only(self, chosen: NDArray[np.bool_]) -> "Scores":
        """The scores of the chosen items [items]."""
        of = {name: {model: scores[:, chosen] for model, scores in own.items()} for name, own in self.of.items()}
        return replace(self, items=self.items.filter(chosen), of=of)

    def sample(
        self,
        quantity: str,
        statistic: Callable[[ByCondition], Statistic],
        limits: tuple[float, float] | None = None,
    ) -> Sample:
        """The sample of a `statistic` that is made from the scores [items] of one run, by condition."""
        first = next(iter(self.of.values()))
        runs = {
            model: [statistic({name: own[model][run] for name, own in self.of.items()}) for run in range(len(first[model]))]
            for model in first
        }
        units = {self.unit: self.items["unit"].to_numpy()}
        return Sample(quantity + self.place, units, runs, limits=limits, note=self.note)


@dataclass(frozen=True)
class Answers:
    """All answers at hand of a suite or of a pretrained model.

    `table`: a row per model, seed, condition and question, with `correct` and `own` (was the own passage shown?). `items`: a row
    per question, see `Scores`. `models`: from the smallest to the largest. `generated`: the questions are about the generated
    world. `place`: what a quantity adds about whose answers they are. Facts are rare up to the count `rare`, and frequent from
    `frequent` on.
    """

    table: pl.DataFrame
    items: pl.DataFrame
    models: list[str]
    unit: str
    generated: bool = True
    place: str = ""
    rare: int = RARE
    frequent: int = RARE + 1

    def under(self, *conditions: str) -> Scores:
        """Scores on the questions that every run was asked under all of these conditions."""
        asked = self.table.filter(pl.col("condition").is_in(conditions))
        if absent := [name for name in conditions if name not in asked["condition"]]:
            raise MissingEvidence(f"no answers under the condition {', '.join(absent)}{self.place}")
        require_unique(asked, RUN_ANSWERS, "answers")
        wide = asked.pivot("condition", index=["model", "seed", "question"], values="correct").drop_nulls(list(conditions))
        by_condition = {name: by_run(wide, ["question"], name) for name in conditions}
        shared = by_condition[conditions[0]].items
        if shared.is_empty():
            raise MissingEvidence(f"no question was asked under all of {', '.join(conditions)}{self.place}")
        items = shared.join(self.items, on="question", how="left", maintain_order="left")
        lost = asked["question"].n_unique() - len(items)
        note = f"{lost} questions that were not asked every time are left out" if lost else ""
        of = {name: {model: scores.of[model] for model in self.models} for name, scores in by_condition.items()}
        return Scores(items, of, self.unit, self.place, note)

    def most_passages(self, prefix: str = "") -> str:
        """The condition, among those with this prefix, that shows the most passages of BM25."""
        start = prefix + RETRIEVED
        found: list[str] = [name for name in self.table["condition"].unique() if name.startswith(start)]
        if not found:
            raise MissingEvidence(f"no answers under a condition {start}k{self.place}")
        return max(found, key=lambda name: int(name.removeprefix(start)))

    def own_shown(self, condition: str) -> float:
        """Share of questions whose own passage was shown."""
        return float(self.table.filter(condition=condition)["own"].cast(pl.Float64).fill_null(0).mean())  # type: ignore[arg-type]


def in_words(condition: str) -> str:
    """What accuracy under the condition is called."""
    plain = condition.removeprefix(GRADIENT)
    shown = {GOLD: "the gold passage", WRONG: "a wrong passage"}.get(plain, plain)
    if plain.startswith(RETRIEVED):
        number = plain.removeprefix(RETRIEVED)
        shown = "a retrieved passage" if number == "1" else f"{number} retrieved passages"
    world = " and distractors that rise with the count" if condition.startswith(GRADIENT) else ""
    return "closed-book accuracy" if condition == CLOSED_BOOK else f"accuracy with {shown}{world}"


def suite_closed_book(tables: Tables, variant: str | None = None) -> Answers:
    """The suite's closed-book answers at the end of training, to all questions of the evaluation group."""
    answers = in_world(tables, variant, "closed_book", "model", "arm", "seed", "step", "question", "correct")
    return _suite(tables, last_step(answers).with_columns(condition=pl.lit(CLOSED_BOOK), own=pl.lit(None, pl.Boolean)), variant)


def suite_with_passages(tables: Tables) -> Answers:
    """The suite's answers to the questions that were asked with passages, closed-book ones among them."""
    answers = tables.read("passages", "model", "arm", "seed", "condition", "question", "correct", "own")
    return _suite(tables, answers, None)


def _suite(tables: Tables, answers: pl.DataFrame, variant: str | None) -> Answers:
    """The baseline's answers; InputError for an answered question that lacks its person or its count."""
    questions = in_world(tables, variant, "questions", "question", "entity", "group").filter(group="evaluation")
    counts = in_world(tables, variant, "counts", "question", "count", "statements", "comentions")
    require_unique(questions, ["question"], "questions of the suite")
    require_unique(counts, ["question"], "counts")
    counts = counts.select("question", "count", "statements", "comentions")
    items = questions.select("question", unit="entity").join(counts, on="question", how="left", maintain_order="left")
    lost = items.filter(pl.any_horizontal(pl.col("unit", "count", "statements", "comentions").is_null()))
    if len(lost):
        number = lost["question"][0]
        raise InputError(f"questions and counts: question {number} lacks its entity, count, statements or comentions")
    table = arm(answers, "baseline")
    if len(strange := table.join(questions, on="question", how="anti")):
        raise InputError(f"questions of the suite: no entity of question {strange['question'][0]}, which was answered")
    return Answers(table.select(*RUN_ANSWERS, "correct", "own"), items, ordered_models(tables, table["model"]), "people")
