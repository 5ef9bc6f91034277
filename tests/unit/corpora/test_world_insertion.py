"""Choosing whom to insert documents about, and writing them."""

import polars as pl
import pytest

from overtime import InputError
from overtime.corpora.world_insertion import choose_targets, inserted_documents
from overtime.facts.suite_passages import passage_prompts

ATTRIBUTES = ["town", "company", "game"]


@pytest.fixture
def questions() -> pl.DataFrame:
    rows = [
        (f"p{i} q{i}", attribute, f"question : what of p{i} q{i} ? answer :", f"{attribute}{i}", group)
        for i, group in enumerate(["evaluation"] * 5 + ["training"])
        for attribute in ATTRIBUTES
    ]
    return pl.DataFrame(rows, ["entity", "attribute", "text", "answer", "group"], orient="row").with_row_index("question")


@pytest.fixture
def counts() -> pl.DataFrame:
    # Person 3 has a fact without documents, person 4 one with too many, person 5 is of the training group.
    numbers = [1, 2, 3, 4, 5, 6, 1, 1, 2, 0, 1, 2, 3, 20, 3, 2, 2, 2]
    return pl.DataFrame({"question": range(18), "count": numbers}, schema_overrides={"question": pl.UInt32})


def test_targets_are_rare_evaluation_people_dealt_evenly(questions, counts):
    targets = choose_targets(questions, counts, doses=[0, 4, 9], people=1, at_most=10, seed=0)
    assert sorted(targets["entity"]) == ["p0 q0", "p1 q1", "p2 q2"]
    assert targets["inserted"].to_list() == [0, 4, 9]
    with pytest.raises(InputError, match=r"insertion.people: 2 for each of 3 doses, but only 3 people qualify"):
        choose_targets(questions, counts, doses=[0, 4, 9], people=2, at_most=10, seed=0)


def test_every_fact_of_a_target_is_stated_as_often_as_asked(questions, counts):
    targets = choose_targets(questions, counts, doses=[0, 4, 9], people=1, at_most=10, seed=0)
    documents = inserted_documents(questions, targets, seed=0)
    for entity, inserted in targets.iter_rows():
        for answer in questions.filter(entity=entity)["answer"]:
            stated = sum(entity in text and answer in text.split() for text in documents)
            assert inserted <= stated <= inserted + 1
    assert len(documents) == pytest.approx(1.5 * 13, abs=1)  # each document states two of the three facts


def test_passages_of_every_condition_hold_what_they_promise(questions, counts):
    passages = ["p0 q0 comes from town0 and plays game0 .", "p0 q0 works for company0 and plays game0 ."]
    passages += [f"p{i} q{i} comes from town{i} and works for company{i} ." for i in (1, 2, 4)]
    documents = pl.DataFrame({"kind": "biography", "text": passages})
    stated = counts.with_columns(count=pl.Series([1, 1, 2, 1, 1, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0]))
    table = passage_prompts(documents, questions, stated, top=[1, 2], seed=0)
    assert table["question"].n_unique() == 9
    for row in table.iter_rows(named=True):
        condition, shown = row["condition"], row["prompt"].count("passage :")
        expected = {"closed_book": [0], "bm25_1": [1], "bm25_2": [1, 2], "oracle": [1], "wrong": [1]}
        assert shown in expected[condition]
        assert row["prompt"].endswith("answer :" if condition == "closed_book" else "reply :")
        passages, _, question = row["prompt"].partition("question :")
        states = question.split(" ? ")[0].removeprefix(" what of ") in passages and row["answer"] in passages
        assert row["hit"] == {"closed_book": None, "oracle": True, "wrong": False}.get(condition, states)
