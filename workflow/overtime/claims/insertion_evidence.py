"""Case study 2, inserted documents: what they change for the people they are about, and for everybody else.

A run with inserted documents is compared with the baseline run of the same size and seed, question by question; its arms (late,
spread) are averaged where both are asked for. Sizes count equally. The unit is the person, of whom documents are inserted.
"""

import polars as pl

from overtime import InputError
from overtime.claims.evidence import MissingEvidence, Sample, Tables, by_run, ordered_models
from overtime.claims.facts_answers import CHANGE, Scores
from overtime.claims.facts_quantities import gap_between, mean_score
from overtime.files import require_unique
from overtime.tables import last_step

INSERTED = {"late": "insert_late", "spread": "insert_spread"}
MOST, NONE = 100, 0  # inserted documents of the two groups of targets that are compared
RUN_QUESTION = ["model", "seed", "question"]


def insertion_gain(tables: Tables, *, arm: str | None = None) -> Sample:
    """Measured: change of accuracy on people of whom 100 documents were inserted, minus that on targets of whom none was.

    arm: "late" or "spread"; default both.
    """
    scores = _changes(tables, arm)
    dose = scores.items["inserted"]
    treated, control = ((dose == documents).fill_null(False).to_numpy() for documents in (MOST, NONE))
    quantity = f"accuracy gain with {MOST} documents inserted {_placed(arm)}, minus that with {NONE}"
    return gap_between(scores, CHANGE, treated, control, quantity, limits=(-2.0, 2.0))


def insertion_others(tables: Tables, *, arm: str | None = None) -> Sample:
    """Measured: change of accuracy on people who are no targets; `arm` as above."""
    scores = _changes(tables, arm)
    others = scores.only(scores.items["inserted"].is_null().to_numpy())
    quantity = f"change of accuracy on people who are no targets of documents inserted {_placed(arm)}"
    return mean_score(others, quantity, lambda of: of[CHANGE])


def _placed(arm: str | None) -> str:
    return arm or "late or spread"


def _changes(tables: Tables, arm: str | None) -> Scores:
    """What every run with inserted documents changes; items have `inserted`, null for people who are no targets."""
    changes = _beside_baseline(tables, arm)
    scores = by_run(changes, ["question"], CHANGE)
    questions = tables.read("questions", "question", "entity").select("question", "entity")
    targets = tables.read("targets", "entity", "inserted").select("entity", "inserted")
    require_unique(questions, ["question"], "questions of the suite")
    require_unique(targets, ["entity"], "targets")
    items = scores.items.join(questions, on="question", how="left", maintain_order="left")
    if len(lost := items.filter(pl.col("entity").is_null())):
        raise InputError(f"questions of the suite: no entity of question {lost['question'][0]}, which was answered")
    items = items.join(targets, on="entity", how="left", maintain_order="left").rename({"entity": "unit"})
    of = {model: scores.of[model] for model in ordered_models(tables, changes["model"])}
    return Scores(items, {CHANGE: of}, "people", note=f"over {', '.join(of)}")


def _beside_baseline(tables: Tables, arm: str | None) -> pl.DataFrame:
    """Answers with inserted documents minus those of the baseline: `model`, `seed`, `question`, `change`, the mean over arms."""
    if arm not in (None, *INSERTED):
        raise InputError(f"arm {arm}: unknown; known are {', '.join(INSERTED)}")
    answers = last_step(tables.read("closed_book", "model", "arm", "seed", "step", "question", "correct"))
    require_unique(answers, [*RUN_QUESTION, "arm"], "closed-book answers")
    answers = answers.select(*RUN_QUESTION, "arm", pl.col("correct").cast(pl.Float64))
    after = answers.filter(pl.col("arm").is_in([INSERTED[arm]] if arm else list(INSERTED.values())))
    if after.is_empty():
        raise MissingEvidence(f"no model was trained with documents inserted {_placed(arm)}")
    before = answers.filter(arm="baseline").select(*RUN_QUESTION, before="correct")
    both = after.join(before, on=RUN_QUESTION, how="left", maintain_order="left")
    if len(alone := both.filter(pl.col("before").is_null()).sort(RUN_QUESTION)):
        model, seed, question = alone.select(RUN_QUESTION).row(0)
        raise MissingEvidence(
            f"no baseline of {model}, seed {seed}, answered question {question}, as the model with inserted documents did"
        )
    change = (pl.col("correct") - pl.col("before")).mean()
    return both.group_by(RUN_QUESTION, maintain_order=True).agg(change.alias(CHANGE))
