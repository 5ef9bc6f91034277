"""Facts: answer matching against SQuAD's examples, and the table of figure 4 on planted effects."""

import polars as pl
import pytest

from overtime import InputError
from overtime.facts.answer_match import exact_match, normalize
from overtime.facts.insertion_table import insertion_table


@pytest.mark.parametrize(
    ("prediction", "answers", "matches"),
    [
        ("the  River Tay.", ["Tay", "river tay"], True),
        ("A Tale", ["an tale"], True),
        ("Athens", ["Ahens"], False),  # the letter a is an article only as a word
        ("U.S.", ["us"], True),
        ("São Paulo", ["são paulo"], True),
        ("Paris, France", ["Paris"], False),
        ("", ["x"], False),
        ("x", [], False),
        *(("", [gold], False) for gold in ("---", "A+", "The", "a", "", " ", "$", "\u200b")),
        *((gold, [gold], True) for gold in ("---", "A+", "The", "$", "C++", "😀", "I")),
        ("a+", ["A+"], True),
        ("A", ["A+"], False),
        ("the", ["---"], False),
        ("\u200b", ["\u200b"], False),
        (" ", ["a", ""], False),
    ],
)
def test_exact_match(prediction, answers, matches):
    assert exact_match(prediction, answers) is matches


def test_normalize_is_idempotent_and_folds_white_space():
    text = "The\tQuick -- (brown)\n fox's an A"
    assert normalize(text) == "quick brown foxs"
    assert normalize(normalize(text)) == normalize(text)


def run(correct, seed=0, arm="baseline", model="m", step=10, **more):
    n = len(correct)
    return pl.DataFrame({"question": range(n), "correct": correct, "step": [step] * n, **more}).with_columns(
        model=pl.lit(model), arm=pl.lit(arm), seed=pl.lit(seed)
    )


def test_insertion_table_shows_dose_response_and_cost_elsewhere():
    entities = [f"e{i}" for i in range(60) for _ in range(3)]
    questions = pl.DataFrame({"question": range(180), "entity": entities})
    targets = pl.DataFrame({"entity": [f"e{i}" for i in range(40)], "inserted": [0, 300] * 20})
    inserted = questions.join(targets, on="entity", how="left", maintain_order="left")["inserted"]
    before = run([False] * 120 + [True] * 60)
    after = run([d == 300 if d is not None else q % 3 > 0 for q, d in enumerate(inserted)], arm="insert_late")
    table = insertion_table([before], [after], questions, targets, resamples=300)
    assert set(table["placement"]) == {"late"}
    row = {(r["group"], r["x"], r["when"]): r for r in table.to_dicts()}
    assert [row["target", 300, w]["y"] for w in ("before", "after")] == [0, 1]
    assert row["target", 300, "after"]["gain"] == 1
    assert row["target", 300, "after"]["gain_lower"] < 1  # 20 unanimous entities leave room for doubt
    assert row["target", 0, "after"]["gain"] == 0
    assert row["other", 0, "after"]["gain"] == pytest.approx(-1 / 3)
    assert row["other", 0, "before"]["n"] == 20
    assert row["other", 0, "before"]["gain"] is None
    twice = pl.concat([targets, pl.DataFrame({"entity": ["e1"], "inserted": [0]})])
    with pytest.raises(InputError, match="e1 is in 2 groups of targets"):
        insertion_table([before], [after], questions, twice)
    with pytest.raises(InputError, match="both before and after"):
        insertion_table([before], [after.with_columns(model=pl.lit("l"))], questions, targets)
