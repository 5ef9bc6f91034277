"""Choosing whom to insert documents about, and writing them."""

import polars as pl
import pytest

from overtime import InputError
from overtime.corpora.world_insertion import choose_targets, inserted_documents
from overtime.corpora.world_vocabulary import ATTRIBUTES, CHANGES


@pytest.fixture
def questions() -> pl.DataFrame:
    names = ["p0 q0", "p1 q1", "p1 q1", "p3 q3", "p4 q4", "p5 q5"]  # the second and the third person share one
    rows = [
        (f"{name} {i}", name, attribute, f"{attribute}{i}", f"old{i}" if (i, attribute) == (0, "town") else None, group)
        for i, (name, group) in enumerate(zip(names, ["evaluation"] * 5 + ["training"]))
        for attribute in ATTRIBUTES
    ]
    columns = ["entity", "name", "attribute", "answer", "former", "group"]
    return pl.DataFrame(rows, dict.fromkeys(columns, pl.String), orient="row").with_row_index("question")


@pytest.fixture
def counts() -> pl.DataFrame:
    # Person 3 has a fact without documents, person 4 one with too many, person 5 is of the training group.
    numbers = [1, 2, 3, 4, 5, 6, 1, 1, 2, 0, 1, 2, 3, 20, 3, 2, 2, 2]
    return pl.DataFrame({"question": range(18), "statements": numbers}, schema_overrides={"question": pl.UInt32})


def test_targets_are_rare_evaluation_people_dealt_evenly(questions, counts):
    targets = choose_targets(questions, counts, doses=[0, 4, 9], people=1, at_most=10, seed=0)
    assert sorted(targets["entity"]) == ["p0 q0 0", "p1 q1 1", "p1 q1 2"]
    assert targets["inserted"].to_list() == [0, 4, 9]
    with pytest.raises(InputError, match=r"insertion.people: 2 for each of 3 doses, but only 3 people qualify"):
        choose_targets(questions, counts, doses=[0, 4, 9], people=2, at_most=10, seed=0)


@pytest.mark.parametrize("seed", range(3))
def test_every_fact_of_a_target_is_stated_as_often_as_asked(questions, counts, seed):
    targets = choose_targets(questions, counts, doses=[0, 4, 9], people=1, at_most=10, seed=seed)
    documents = inserted_documents(questions, targets, seed=0)
    for entity, inserted in targets.iter_rows():
        for name, answer, former in questions.filter(entity=entity).select("name", "answer", "former").iter_rows():
            stating = [text for text in documents if text.startswith(name + " ") and answer in text.split()]
            assert inserted <= len(stating) <= inserted + 1
            assert former is None or all(former in text.split() for text in stating), "a changed fact is told as one"
    assert len(documents) == pytest.approx(1.5 * 13, abs=1)  # each document states two of the three facts


def test_only_changed_facts_are_told_as_changed(questions):
    targets = pl.DataFrame({"entity": ["p3 q3 3"], "inserted": [20]})
    starts = {frame.partition("{")[0].strip() for choice in CHANGES.values() for frame in choice}
    assert not [text for text in inserted_documents(questions, targets, 0) if any(f" {start} " in text for start in starts)]
