"""Facts that a model lacks: wrong answers alone are drawn, one for an article; documents by dose; what is asked about them."""

import polars as pl
import pytest

from overtime import InputError
from overtime.corpora.insertion_plan import read_asked, read_facts
from overtime.facts.lacking_facts import documents_about, lacking_facts, questions_about

QUESTIONS = pl.DataFrame(
    {
        "question": range(12),
        "title": [f"Town {number // 2}" for number in range(12)],  # two questions on each article
        "text": [f"Where is Town {number // 2}, question {number}?" for number in range(12)],
        "answers": [[f"Land {number}", "Land"] for number in range(12)],
        "statements": [[f"One {number}.", f"Two {number}.", f"Three {number}."] if number != 2 else [] for number in range(12)],
        "asked": [True] * 12,
    }
)
RIGHT = {0, 1, 4}
ANSWERS = pl.DataFrame(
    [
        (condition, number, condition == "oracle" or number in RIGHT)
        for condition in ("closed_book", "oracle")
        for number in range(12)
    ],
    ["condition", "question", "correct"],
    orient="row",
)


def test_only_what_the_model_has_wrong_is_drawn_once_for_an_article():
    chosen = lacking_facts(QUESTIONS, ANSWERS, [0, 5], 2, seed=0, name="key")
    assert chosen["inserted"].to_list() == [0, 0, 5, 5]
    assert not set(chosen["question"]) & (RIGHT | {2})  # question 2 has no statement
    assert chosen["title"].n_unique() == 4
    assert lacking_facts(QUESTIONS, ANSWERS, [0, 5], 2, seed=0, name="key").equals(chosen)
    assert not lacking_facts(QUESTIONS, ANSWERS, [0, 5], 2, seed=1, name="key").equals(chosen)


def test_too_few_facts_are_one_clear_line():
    with pytest.raises(
        InputError, match=r"^key: 5 facts of different articles are lacking, not 6 \(3 for each of 2 doses\); ask"
    ):
        lacking_facts(QUESTIONS, ANSWERS, [0, 5], 3, seed=0, name="key")


def test_documents_are_the_statements_in_turn(tmp_path):
    chosen = lacking_facts(QUESTIONS, ANSWERS, [0, 5], 2, seed=0, name="key")
    documents_about(chosen).write_parquet(tmp_path / "facts.parquet")
    texts = read_facts(tmp_path / "facts.parquet", ["{text}"])
    assert len(texts) == 10
    for number in chosen.filter(inserted=5)["question"]:
        assert [texts.count(f"{word} {number}.") for word in ("One", "Two", "Three")] == [2, 2, 1]


def test_what_is_asked_is_the_prompt_of_closed_book_and_other_sets_are_no_group(tmp_path):
    chosen = lacking_facts(QUESTIONS, ANSWERS, [0, 5], 2, seed=0, name="key")
    other = QUESTIONS.head(3).with_columns(asked=pl.Series([True, False, True]))
    questions_about(chosen, {"own": other}).write_parquet(tmp_path / "asked.parquet")
    asked = read_asked(tmp_path / "asked.parquet")
    assert asked["inserted"].to_list() == [0, 0, 5, 5, None, None]
    assert asked["entity"].to_list() == [*chosen["title"], "own: 0", "own: 2"]
    assert asked["text"][0].endswith(f"\n\nQuestion: {chosen['text'][0]}\nAnswer:")
    assert asked["text"][0].count("Question:") == 5
    assert asked["answers"].to_list()[-1] == ["Land 2", "Land"]
