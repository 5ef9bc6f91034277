"""Facts: answer matching against SQuAD's examples, and the tables of figures 3 to 5 on planted effects."""

import numpy as np
import polars as pl
import pytest

from overtime import InputError
from overtime.facts import accuracy_by_count, bin_edges, exact_match, insertion_table, normalize, retrieval_table
from overtime.stats import wilson


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
    ],
)
def test_exact_match(prediction, answers, matches):
    assert exact_match(prediction, answers) is matches


def test_normalize_is_idempotent_and_folds_white_space():
    text = "The\tQuick -- (brown)\n fox's an A"
    assert normalize(text) == "quick brown foxs"
    assert normalize(normalize(text)) == normalize(text)


def test_bins_hold_their_counts_at_every_edge():
    counts = np.array([0, 1, 2, 3, 4, 7, 8, 999, 1000, 1024])
    low, high = bin_edges(counts, 2)
    assert low.tolist() == [0, 1, 2, 2, 4, 4, 8, 512, 512, 1024]
    assert high.tolist() == [0, 1, 3, 3, 7, 7, 15, 1023, 1023, 2047]
    low, high = bin_edges(np.array([1000, 10**12]), 10)  # exact where a floating-point logarithm is not
    assert (low.tolist(), high.tolist()) == ([1000, 10**12], [9999, 10**13 - 1])
    with pytest.raises(InputError, match="need 2 or more"):
        bin_edges(counts, 1)


def run(correct, seed=0, arm="baseline", model="m", step=10, **more):
    n = len(correct)
    return pl.DataFrame({"question": range(n), "correct": correct, "step": [step] * n, **more}).with_columns(
        model=pl.lit(model), arm=pl.lit(arm), seed=pl.lit(seed)
    )


def test_accuracy_by_count_averages_seeds_and_keeps_the_last_step():
    counts = pl.DataFrame({"question": [0, 1, 2, 3], "count": [0, 4, 6, 300]})
    scores = [
        run([True, True, True, True], step=5),
        run([False, True, False, True]),
        run([False, True, True, True], seed=1),
    ]
    table = accuracy_by_count(scores, counts)
    measured = table.filter(pl.col("source") == "measured")
    assert measured["y"].to_list() == [0, 0.75, 1]
    assert measured["n"].to_list() == [1, 2, 1]
    assert measured["x"].to_list() == pytest.approx([0, 24**0.5, 300])
    assert measured["upper"][0] == pytest.approx(wilson(0, 1).upper)
    spoken = table.filter(pl.col("source") == "spoken").sort("y")
    assert spoken.select("y", "lower", "upper", "bin_high").rows() == [(0.275, 0.25, 0.3, 99), (0.55, None, None, None)]
    with pytest.raises(InputError, match="1 questions, the first being question 3"):
        accuracy_by_count(scores, counts.head(3))


def test_the_highest_bins_are_merged_until_they_hold_enough_questions():
    scores = pl.DataFrame({"model": "m", "arm": "baseline", "seed": "0", "step": 1, "question": range(8), "correct": True})
    counts = pl.DataFrame({"question": range(8), "count": [1, 1, 2, 3, 4, 9, 70, 900]})
    bins = accuracy_by_count([scores], counts, fewest=3).filter(source="measured").select("bin_low", "bin_high", "n")
    assert bins.rows() == [(1, 1, 2), (2, 3, 2), (4, 7, 1), (8, 1023, 3)]


def test_pretrained_models_have_no_step():
    counts = pl.DataFrame({"question": [0, 1], "count": [1, 1]})
    table = accuracy_by_count([run([True, False], step=None, model="pretrained"), run([True, True])], counts)
    assert dict(table.filter(pl.col("source") == "measured").select("model", "y").rows()) == {"pretrained": 0.5, "m": 1}


def test_retrieval_table_has_the_hit_rate_beside_accuracy():
    counts = pl.DataFrame({"question": range(300), "count": [3, 30, 300] * 100})
    asked = np.arange(300)
    correct = {"closed_book": asked % 3 == 2, "bm25_1": asked % 6 > 0, "oracle": asked >= 0}
    hits = {"closed_book": [None] * 300, "bm25_1": asked % 2 == 0, "oracle": asked >= 0}
    tables = [run(correct[c], condition=[c] * 300, hit=pl.Series(hits[c], dtype=pl.Boolean)) for c in correct]
    table = retrieval_table([pl.concat(tables)], counts, factor=10)
    assert table["condition"].to_list() == ["bm25_1"] * 3 + ["closed_book"] * 3 + ["oracle"] * 3
    closed, retrieved, oracle = (table.filter(condition=condition) for condition in correct)
    assert closed.select("x", "y", "n", "hit").rows() == [
        (pytest.approx(3), 0, 100, None),
        (pytest.approx(30), 0, 100, None),
        (pytest.approx(300), 1, 100, None),
    ]
    assert retrieved.select("y", "hit").rows() == [(0.5, 0.5), (1, 0.5), (1, 0.5)]
    assert retrieved["hit_upper"][0] == pytest.approx(wilson(50, 100).upper)
    assert oracle["lower"][0] == pytest.approx(wilson(100, 100).lower)


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
    with pytest.raises(InputError, match="both before and after"):
        insertion_table([before], [after.with_columns(model=pl.lit("l"))], questions, targets)
