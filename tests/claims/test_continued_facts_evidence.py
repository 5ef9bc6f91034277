"""Documents inserted about facts that a model lacks: planted gains and costs, against the control of every run."""

import polars as pl
import pytest

from overtime.claims import continued_facts_evidence as evidence
from overtime.claims.evidence import MissingEvidence, Tables, declarations

RUNS = [{"run": f"with-{n}", "control": f"without-{n}", "model": "llm", "text": "facts", "seed": str(n)} for n in range(2)]
DOSES = [0] * 10 + [10] * 10 + [100] * 10 + [None] * 40
RIGHT = {0: 2, 10: 5, 100: 9, None: 20}  # of the questions of each group, right with the documents
BEFORE = {0: 1, 10: 0, 100: 0, None: 21}


def answers(run: str, asked: str, right: dict) -> pl.DataFrame:
    seen: dict = {}
    rows = []
    for question, dose in enumerate(DOSES):
        seen[dose] = seen.get(dose, 0) + 1
        rows.append((run, asked, 4, question, f"fact {question}", dose, seen[dose] <= right[dose]))
    columns = {"run": pl.String, "asked": pl.String, "step": pl.Int64, "question": pl.Int64, "entity": pl.String}
    return pl.DataFrame(rows, columns | {"inserted": pl.Int64, "correct": pl.Boolean}, orient="row")


def inputs(runs=RUNS) -> dict[str, pl.DataFrame]:
    tables = [answers(one[side], one["run"], right) for one in runs for side, right in (("run", RIGHT), ("control", BEFORE))]
    # What a run was asked about another one's facts counts for nothing.
    tables.append(tables[0].with_columns(run=pl.lit("without-0"), asked=pl.lit("another"), correct=True))
    texts = [
        pl.DataFrame(
            {
                "run": one[side],
                "step": 4,
                "document": range(20),
                "length": [10, 20] * 10,
                "loss": [loss * n for n in [10, 20] * 10],
            }
        )
        for one in runs
        for side, loss in (("run", 2.03), ("control", 2.0))
    ]
    return {"continued_answers": pl.concat(tables), "continued_text": pl.concat(texts)} | declarations({}, {}, {}, {}, (), runs)


def test_gain_is_that_of_the_most_documents_beyond_that_of_none():
    sample = evidence.continued_insertion_gain(Tables(inputs()))
    assert sample.estimate().interval().estimate == pytest.approx(0.9 - 0.1)
    assert [len(runs) for runs in sample.runs.values()] == [2]
    assert "100 documents" in sample.quantity


def test_other_facts_are_those_outside_every_group():
    assert evidence.continued_insertion_others(Tables(inputs())).estimate().interval().estimate == pytest.approx(-1 / 40)


def test_loss_is_per_token_of_each_document():
    found = evidence.continued_insertion_loss(Tables(inputs())).estimate().interval()
    assert found.estimate == pytest.approx(0.03)
    assert found.n == 20


def test_the_model_with_the_most_runs_is_judged_alone():
    other = {"run": "x", "control": "y", "model": "aaa", "text": "facts", "seed": "0"}
    tables = inputs([*RUNS, other])
    tables["continued_answers"] = tables["continued_answers"].with_columns(
        correct=pl.when(pl.col("run") == "x").then(False).otherwise("correct")
    )
    assert evidence.continued_insertion_gain(Tables(tables)).estimate().interval().estimate == pytest.approx(0.8)


def test_a_control_that_was_not_asked_everything_is_missing_evidence():
    tables = inputs()
    lost = (pl.col("run") == "without-1") & (pl.col("question") == 3)
    tables["continued_answers"] = tables["continued_answers"].filter(~lost)
    with pytest.raises(MissingEvidence, match="control of a run"):
        evidence.continued_insertion_gain(Tables(tables))
    with pytest.raises(MissingEvidence, match="no model is trained further with documents inserted"):
        evidence.continued_insertion_loss(Tables({"continued_text": tables["continued_text"]}))
