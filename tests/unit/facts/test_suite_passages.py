"""Passages of the suite: which are shown under which condition, and whether they answer the question."""

import polars as pl
import pytest

from overtime.corpora.generated_world import generate, recorded_counts
from overtime.facts.suite_passages import passage_prompts

SETTINGS = {
    "seed": 5,
    "people_per_bin": {"1": 20, "2-3": 20, "8-15": 10, "64-127": 4},
    "values_per_attribute": 12,
    "first_names": 10,
    "last_names": 30,
    "gendered": 10,
    "fillers": 1,
    "reading": 5,
    "question_share": 0.1,
    "comentions": 5,
    "association": 1.0,
}
WORLD = generate(SETTINGS)
COUNTS = recorded_counts(WORLD.record, WORLD.questions)


@pytest.fixture(scope="module")
def prompts() -> pl.DataFrame:
    return passage_prompts(WORLD.passages, WORLD.questions, COUNTS, [1, 3], seed=0)


def shown(prompt: str) -> list[str]:
    """The passages of a prompt."""
    return prompt.partition(" question :")[0].removeprefix("passage : ").split(" passage : ") if "passage" in prompt else []


def test_every_condition_asks_the_questions_that_a_document_answers(prompts):
    evaluated = WORLD.questions.filter(group="evaluation")["question"].to_list()
    expected = {question for question, statements, _ in COUNTS.iter_rows() if statements and question in evaluated}
    by_condition = dict(prompts.group_by("condition", maintain_order=True).agg("question").iter_rows())
    assert list(by_condition) == ["closed_book", "bm25_1", "bm25_3", "oracle", "wrong", "gradient_bm25_3", "gradient_oracle"]
    assert all(sorted(asked) == sorted(expected) for asked in by_condition.values())
    assert 0 < len(expected) < len(evaluated)


def test_hits_name_the_answer_and_own_passages_state_the_fact(prompts):
    """`own` is found here anew: a passage on the person's own record that states the attribute; `hit`: its answer is a word."""
    facts = WORLD.questions.select("question", "entity", "attribute")
    for column, rising in (("text", False), ("rising", True)):
        states = {
            (e, a, text) for e, names, text in WORLD.passages.select("entity", "attributes", column).iter_rows() for a in names
        }
        part = prompts.filter(pl.col("condition").str.starts_with("gradient_") == rising, pl.col("condition") != "closed_book")
        for row in part.join(facts, on="question").iter_rows(named=True):
            texts = shown(row["prompt"])
            assert len(texts) <= (3 if row["condition"].endswith("3") else 1)
            assert row["own"] == any((row["entity"], row["attribute"], text) in states for text in texts)
            assert row["hit"] == any(row["answer"] in text.split() for text in texts)
            assert row["hit"] >= row["own"]
    assert prompts.filter(condition="closed_book")["own"].null_count() == prompts.filter(condition="closed_book").height


def test_gold_passages_are_own_and_wrong_ones_name_neither_answer_nor_person(prompts):
    assert prompts.filter(pl.col("condition").str.ends_with("oracle")).select(pl.col("own").all(), pl.col("hit").all()).row(
        0
    ) == (True, True)
    wrong = prompts.filter(condition="wrong").join(WORLD.questions.select("question", "name"), on="question")
    assert not wrong["hit"].any()
    for prompt, name in wrong.select("prompt", "name").iter_rows():
        assert name.split()[1] not in shown(prompt)[0].split()


def test_who_is_asked_for_by_an_alias_is_found_less_often(prompts):
    aliased = WORLD.questions.select("question", aliased=pl.col("asked_as") != pl.col("name"))
    found = prompts.filter(condition="bm25_3").join(aliased, on="question")
    own = dict(found.group_by("aliased").agg(pl.mean("own")).iter_rows())
    assert own[True] < own[False] - 0.2


def test_a_namesakes_passage_is_a_hit_at_most():
    """Two people of one name: the passage of the other states the attribute with another value."""
    passages = pl.DataFrame(
        {
            "entity": ["ada lee", "ada lee 2"],
            "attributes": [["town", "game"], ["town", "company"]],
            "text": ["ada lee comes from ulm and plays go .", "ada lee comes from ems and works for dash ."],
        }
    ).with_columns(rising="text")
    question = {
        "question": 0,
        "entity": "ada lee 2",
        "name": "ada lee",
        "attribute": "town",
        "answer": "ems",
        "group": "evaluation",
    }
    questions = pl.DataFrame([question | {"text": "question : where is the house of ada lee ? answer :"}])
    others = passages.vstack(
        pl.DataFrame(
            [("bo ray", ["town"], "bo ray comes from bonn .", "bo ray comes from bonn .")], passages.schema, orient="row"
        )
    )
    table = passage_prompts(others, questions, pl.DataFrame({"question": [0], "statements": [1]}), [1, 2], seed=0)
    told = {row["condition"]: (row["hit"], row["own"]) for row in table.iter_rows(named=True)}
    assert told["bm25_1"] == (False, False), "the shorter one is the other's"
    assert told["bm25_2"] == told["oracle"] == (True, True)
    assert "bo ray" in table.filter(condition="wrong")["prompt"][0]
