"""Accuracy by count: bins, seeds, sets, proxies and people, on tables small enough to compute by hand."""

import numpy as np
import polars as pl
import pytest

from overtime import InputError
from overtime.facts.clustered_share import clustered_share
from overtime.facts.count_bins import bin_edges
from overtime.facts.counted_answers import set_answers, suite_answers
from overtime.facts.counts_table import SPOKEN, counts_table
from overtime.facts.retrieval_table import retrieval_table
from overtime.statistics import wilson


def test_bins_hold_their_counts_at_every_edge():
    counts = np.array([0, 1, 2, 3, 4, 7, 8, 999, 1000, 1024])
    low, high = bin_edges(counts, 2)
    assert low.tolist() == [0, 1, 2, 2, 4, 4, 8, 512, 512, 1024]
    assert high.tolist() == [0, 1, 3, 3, 7, 7, 15, 1023, 1023, 2047]
    low, high = bin_edges(np.array([1000, 10**12]), 10)  # exact where a floating-point logarithm is not
    assert (low.tolist(), high.tolist()) == ([1000, 10**12], [9999, 10**13 - 1])
    with pytest.raises(InputError, match="need 2 or more"):
        bin_edges(counts, 1)


def run(correct, seed=0, model="m", step=10, **more):
    n = len(correct)
    return pl.DataFrame({"question": range(n), "correct": correct, "step": [step] * n, **more}).with_columns(
        model=pl.lit(model), arm=pl.lit("baseline"), seed=pl.lit(seed)
    )


def asked(n):
    return pl.DataFrame({"question": range(n), "entity": [f"e{i}" for i in range(n)]})


def test_the_suite_averages_seeds_and_keeps_the_last_step():
    counts = pl.DataFrame({"question": [0, 1, 2, 3], "statements": [0, 4, 6, 300]})
    scores = [
        run([True, True, True, True], step=5),
        run([False, True, False, True]),
        run([False, True, True, True], seed=1),
    ]
    table = counts_table(suite_answers(scores, asked(4), counts), resamples=100)
    assert table["y"].to_list() == [0, 0.75, 1]
    assert table["n"].to_list() == [1, 2, 1]
    assert table["x"].to_list() == pytest.approx([0, 24**0.5, 300])
    assert table["upper"][0] == pytest.approx(wilson(0, 1).upper)
    # accuracies 0, 1, .5, 1: ranks 1, 3.5, 2, 3.5 against 1, 2, 3, 4
    assert table["trend"].unique().to_list() == pytest.approx([3 / (5 * 4.5) ** 0.5])
    with pytest.raises(InputError, match="1 questions, the first being question 3"):
        suite_answers(scores, asked(4), counts.head(3))


def test_spoken_values_are_those_of_the_talk():
    assert SPOKEN.sort("y").select("y", "lower", "upper", "bin_high").rows() == [(0.275, 0.25, 0.3, 99), (0.55, None, None, None)]


@pytest.mark.parametrize(
    ("counts", "fewest", "bins"),
    [
        ([1, 1, 2, 3, 4, 9, 70, 900], 3, [(1, 3, 4), (4, 7, 1), (8, 1023, 3)]),
        ([0, 1, 1, 1, 8, 9, 10], 3, [(0, 0, 1), (1, 1, 3), (8, 15, 3)]),
        ([1, 2, 4, 8], 3, [(1, 15, 4)]),
        ([0, 0, 5], 9, [(0, 0, 2), (4, 7, 1)]),
        ([0, 0], 9, [(0, 0, 2)]),
    ],
)
def test_bins_at_the_ends_are_merged_until_they_hold_enough_questions(counts, fewest, bins):
    table = pl.DataFrame({"question": range(len(counts)), "statements": counts})
    answers = suite_answers([run([True] * len(counts))], asked(len(counts)), table)
    assert counts_table(answers, fewest=fewest, resamples=100).select("bin_low", "bin_high", "n").rows() == bins


def test_retrieval_table_has_the_hit_rate_beside_accuracy():
    counts = pl.DataFrame({"question": range(300), "statements": [3, 30, 300] * 100})
    number = np.arange(300)
    correct = {"closed_book": number % 3 == 2, "bm25_1": number % 6 > 0, "oracle": number >= 0}
    hits = {"closed_book": [None] * 300, "bm25_1": number % 2 == 0, "oracle": number >= 0}
    own = hits | {"bm25_1": number % 4 == 0}  # of the other half of the hits, another passage held the answer
    shown = [{"hit": pl.Series(hits[c], dtype=pl.Boolean), "own": pl.Series(own[c], dtype=pl.Boolean)} for c in correct]
    tables = [run(correct[c], condition=[c] * 300, **one) for c, one in zip(correct, shown)]
    table = retrieval_table(suite_answers([pl.concat(tables)], asked(300), counts), factor=10)
    assert table["condition"].to_list() == ["bm25_1"] * 3 + ["closed_book"] * 3 + ["oracle"] * 3
    closed, retrieved, oracle = (table.filter(condition=condition) for condition in correct)
    assert closed.select("x", "y", "n", "hit", "own").rows() == [
        (pytest.approx(3), 0, 100, None, None),
        (pytest.approx(30), 0, 100, None, None),
        (pytest.approx(300), 1, 100, None, None),
    ]
    assert retrieved.select("y", "hit", "own").rows() == [(0.5, 0.5, 0.25), (1, 0.5, 0.25), (1, 0.5, 0.25)]
    assert retrieved["own_upper"][0] == pytest.approx(wilson(25, 100).upper)
    assert retrieved["hit_upper"][0] == pytest.approx(wilson(50, 100).upper)
    assert oracle["lower"][0] == pytest.approx(wilson(100, 100).lower)


def said(name, model, correct, condition="closed_book"):
    unknown = pl.Series([None] * len(correct), dtype=pl.Boolean)
    rows = {"question": range(len(correct)), "correct": correct, "hit": unknown, "own": unknown}
    return pl.DataFrame(rows).with_columns(set=pl.lit(name), model=pl.lit(model), condition=pl.lit(condition))


def question_set(name, n, count=None, proxy=None, human=None):
    columns = {"count": pl.Series([count] * n, dtype=pl.Int64), "human": pl.Series(human or [None] * n, dtype=pl.Float64)}
    return pl.DataFrame({"question": range(n), **columns}).with_columns(set=pl.lit(name), proxy=pl.lit(proxy, pl.String))


def test_counts_are_those_of_the_model_s_own_corpus_and_sets_never_mix():
    """Both sets number their questions from 0, and both models have a corpus of their own."""
    counts = [
        pl.DataFrame({"set": name, "corpus": corpus, "question": [0, 1], "count": count})
        for name, corpus, count in (("nq", "pile", [1, 100]), ("nq", "roots", [5, 50]), ("trivia", "pile", [7, 70]))
    ]
    answers = [said("nq", "neo", [False, True]), said("nq", "bloom", [True, False]), said("trivia", "neo", [True, True])]
    sets = [question_set("nq", 2), question_set("trivia", 2)]
    table = set_answers(answers, sets, counts, {"neo": "pile", "bloom": "roots"})
    assert set(table.select("set", "corpus", "model", "question", "count", "correct").rows()) == {
        *{("nq", "pile", "neo", 0, 1, 0.0), ("nq", "pile", "neo", 1, 100, 1.0)},
        *{("nq", "roots", "bloom", 0, 5, 1.0), ("nq", "roots", "bloom", 1, 50, 0.0)},
        *{("trivia", "pile", "neo", 0, 7, 1.0), ("trivia", "pile", "neo", 1, 70, 1.0)},
    }
    assert table["counted"].unique().sort().to_list() == ["relevant documents in pile", "relevant documents in roots"]
    figure = counts_table(table, factor=10, resamples=100)
    trends = dict(figure.select(pl.concat_str("set", "model", separator=" "), "trend").unique().rows())
    assert trends == {"nq neo": pytest.approx(1), "nq bloom": pytest.approx(-1), "trivia neo": 0}


def test_a_proxy_stands_in_for_counts_and_says_so():
    answers = [said("own", "smol", [True, False]), said("plain", "smol", [True, True, False])]
    table = set_answers(answers, [question_set("own", 2, 40, "a proxy"), question_set("plain", 3)], [], {"smol": None})
    figure = counts_table(table, resamples=100)
    assert figure.select("set", "corpus", "counted", "y", "n").rows() == [("own", None, "a proxy", 0.5, 2)]
    assert figure["x"].to_list() == pytest.approx([40])
    retrieval = retrieval_table(table).filter(set="plain")  # no counts: a single row, on no place of the axis
    assert retrieval.select("counted", "x", "y", "n", "bin_low").rows() == [(None, None, pytest.approx(2 / 3), 3, None)]


def test_people_stand_in_every_panel_of_their_set():
    counts = [pl.DataFrame({"set": "nq", "corpus": corpus, "question": [0, 1], "count": [3, 9]}) for corpus in ("pile", "roots")]
    answers = [said("nq", "neo", [True, True]), said("nq", "bloom", [True, True])]
    table = set_answers(answers, [question_set("nq", 2, human=[0.8, None])], counts, {"neo": "pile", "bloom": "roots"})
    people = retrieval_table(table).filter(condition="human")
    assert people.select("corpus", "model", "y", "n").rows() == [("pile", None, 0.8, 1), ("roots", None, 0.8, 1)]


def random_answers(seed, conditions=("closed_book", "bm25_1", "oracle")):
    """Answers about entities with counts of many kinds: none, few, huge, powers of two; some hits are not known."""
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 60))
    kinds = [
        random.integers(0, 30, n),
        np.exp(random.uniform(0, 42, n)).astype(np.int64),
        np.zeros(n, np.int64),
        random.integers(0, 2, n) * 2 ** random.integers(0, 63, n),
        np.full(n, random.integers(0, 10**6)),
    ]
    counts = kinds[seed % len(kinds)].tolist()
    rows = [
        {"model": "m", "condition": condition, "question": question, "unit": f"e{question // 3}", "count": counts[question]}
        | {"correct": float(random.random() < 0.5), "hit": None if random.random() < 0.4 else float(random.random() < 0.5)}
        | {"own": None}
        for condition in conditions
        for question in range(n)
    ]
    table = pl.DataFrame(rows, schema_overrides={"hit": pl.Float64, "own": pl.Float64, "count": pl.Int64})
    return table.with_columns(set=pl.lit("s"), corpus=pl.lit("c"), counted=pl.lit("documents"))


@pytest.mark.parametrize("seed", range(100))
def test_every_question_is_in_the_bin_of_its_count_and_hits_are_those_of_the_bin(seed):
    answers = random_answers(seed)
    factor, fewest = 2 + seed % 3, 1 + seed % 11
    table = retrieval_table(answers, factor, fewest)
    for (condition,), bins in table.group_by("condition"):
        part, seen = answers.filter(condition=condition), 0
        for row in bins.iter_rows(named=True):
            own = part.filter(pl.col("count").is_between(row["bin_low"], row["bin_high"]))
            assert (row["n"], row["units"]) == (own.height, own["unit"].n_unique())
            assert row["y"] == pytest.approx(own["correct"].mean())
            assert row["hit"] == (None if own["hit"].null_count() == own.height else pytest.approx(own["hit"].mean()))
            assert row["lower"] <= row["y"] <= row["upper"]
            seen += own.height
        assert seen == part.height
    first, second, third = (part.select("bin_low", "bin_high", "n").rows() for _, part in table.group_by("condition"))
    assert first == second == third


def test_bands_are_over_entities():
    """Six entities with three questions each, of which three are right in all: 6 trials for the band, not 18."""
    counts = pl.DataFrame({"question": range(18), "statements": [5] * 18})
    entities = asked(18).with_columns(entity=pl.format("e{}", pl.col("question") // 3))
    answers = suite_answers([run([question < 9 for question in range(18)])], entities, counts)
    for table in (counts_table(answers, resamples=100), retrieval_table(answers)):
        [row] = table.iter_rows(named=True)
        expected = clustered_share(np.repeat([1, 0], 9), np.repeat(range(6), 3))
        assert (row["n"], row["units"], row["lower"]) == (18, 6, pytest.approx(expected.lower))
        assert row["upper"] - row["lower"] > 1.5 * (wilson(9, 18).upper - wilson(9, 18).lower)
    # Questions of a set that were written on one passage are a unit; others stand alone.
    passages = question_set("xquad", 4).with_columns(passage=pl.Series(["p", "p", None, "q"]))
    table = set_answers([said("xquad", "smol", [True, True, False, True])], [passages], [], {"smol": None})
    assert retrieval_table(table).select("n", "units").rows() == [(4, 3)]


def test_curves_of_a_panel_are_over_the_same_questions():
    """Question 2 has no passage and question 3 did not fit into the smaller model's context."""
    answers = [
        said("nq", "large", [True, False, True, True]),
        said("nq", "large", [True, True], "bm25_1"),
        said("nq", "small", [True, False, False]),
    ]
    questions = question_set("nq", 4, 7, "a proxy", [None, 0.5, None, None])
    table = set_answers(answers, [questions], [], {"large": None, "small": None})
    figure = counts_table(table, resamples=100)
    assert figure.select("model", "y", "n").rows() == [("large", pytest.approx(2 / 3), 3), ("small", pytest.approx(1 / 3), 3)]
    panels = retrieval_table(table).select("model", "condition", "y", "n").rows()
    assert panels == [
        (None, "human", 0.5, 1),
        ("large", "bm25_1", 1.0, 2),
        ("large", "closed_book", 0.5, 2),
        ("small", "closed_book", pytest.approx(1 / 3), 3),
    ]
    apart = said("nq", "small", [True]).with_columns(question=pl.lit(3, pl.Int64))
    with pytest.raises(InputError, match="answers to nq: no question was answered in all of a, small"):
        counts_table(
            set_answers([said("nq", "a", [True]), apart], [question_set("nq", 4, 7, "p")], [], {"a": None, "small": None})
        )


def test_a_question_without_a_count_leaves_the_others_in_their_bins():
    counted = question_set("own", 4).with_columns(count=pl.Series([1, None, 9, 9]), proxy=pl.lit("views"))
    table = set_answers([said("own", "smol", [True, False, True, False])], [counted], [], {"smol": None})
    bins = retrieval_table(table, fewest=1).select("bin_low", "bin_high", "n", "y").sort("bin_low", nulls_last=True).rows()
    assert bins == [(1, 1, 1, 1.0), (8, 15, 2, 0.5), (None, None, 1, 0.0)]


@pytest.mark.parametrize(
    ("doubled", "message"),
    [
        ("answers", "answers: more than one row of set nq, model neo, condition closed_book, question 0"),
        ("questions", "questions: more than one row of set nq, question 0"),
        ("counts", "counts: more than one row of set nq, corpus pile, question 0"),
    ],
)
def test_a_table_given_twice_is_refused(doubled, message):
    tables = {
        "answers": [said("nq", "neo", [True, False])],
        "questions": [question_set("nq", 2)],
        "counts": [pl.DataFrame({"set": "nq", "corpus": "pile", "question": [0, 1], "count": [3, 9]})],
    }
    tables[doubled] *= 2
    with pytest.raises(InputError, match=message):
        set_answers(*tables.values(), {"neo": "pile"})


def test_runs_of_the_suite_are_told_apart():
    counts = pl.DataFrame({"question": [0, 1], "statements": [3, 4]})
    with pytest.raises(
        InputError, match="answers of the suite: more than one row of seed 0, model m, condition closed_book, quest"
    ):
        suite_answers([run([True, False]), run([True, True])], asked(2), counts)
    with pytest.raises(InputError, match="no entity of question 1"):
        suite_answers([run([True, False])], asked(1), counts)
    with pytest.raises(InputError, match=r"answers: column correct, row 2: nan"):
        suite_answers([run([1.0, float("nan")])], asked(2), counts)


def test_without_answers_there_are_no_rows():
    table = set_answers([], [], [], {})
    assert counts_table(table).is_empty()
    assert retrieval_table(table).is_empty()
