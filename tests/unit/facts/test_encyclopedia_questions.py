"""A question set made of articles: ambiguity, counts by hand, leads as passages, equal bins, what was read in the real one."""

import logging
from pathlib import Path

import polars as pl
import pytest

from overtime import ARTICLE_COUNT, InputError
from overtime.facts.ask_pretrained import question_prompts
from overtime.facts.encyclopedia_questions import (
    articles_asked,
    clear_names,
    common_words,
    count_articles,
    encyclopedia_questions,
)
from overtime.facts.families import families
from overtime.facts.question_sets import SET, as_set, read
from overtime.files import write_table
from overtime.sources.encyclopedia import ARTICLE_COLUMNS
from overtime.statistics import wilson

READ = Path(__file__).parents[2] / "cases/questions/encyclopedia_read.csv"


def articles(*rows):
    return pl.DataFrame([(number, *row) for number, row in enumerate(rows)], ARTICLE_COLUMNS, orient="row")


CARDIFF = ("Lumenau", "Geography", "Capital and largest city of Wales", "Lumenau is the capital of Wales. It is old.")
ADA = ("Ada Lumen", "People", "Danish writer (1900–1980)", "Ada Lumen was a Danish writer. She left Denmark for Lumenau.")
LAMP = ("Lamp", "Technology", None, "A lamp gives light. In Wales and in Lumenau lamps are green, as Lumen from Denmark says.")


def test_a_set_has_leads_counts_and_articles_without_a_question():
    table = encyclopedia_questions(articles(CARDIFF, ADA, LAMP))
    assert table["question"].to_list() == [0, 1, 2]
    assert table.select("family", "text", "count").rows() == [
        ("capital", "What is the capital of Wales?", 2),  # its own article, and that on lamps
        ("nationality", "What nationality was Ada Lumen?", 2),  # hers, and that on lamps: Lumen, Denmark
        (None, None, None),
    ]
    assert table["passage"].to_list() == [
        "Lumenau: Capital and largest city of Wales. Lumenau is the capital of Wales.",
        "Ada Lumen: Danish writer (1900–1980). Ada Lumen was a Danish writer.",
        "Lamp. A lamp gives light.",
    ]
    assert table["frequency"][0] == 0  # Lumenau is no word
    assert table["answers"].to_list() == [["Lumenau"], ["Danish", "Denmark"], []]


def test_the_long_tail_is_a_set_of_its_own_and_asked_closed_book_only():
    table = encyclopedia_questions(articles(CARDIFF, ADA, LAMP), "birth_years")
    assert table.select("text", "answers", "passage", "count").rows() == [
        ("In which year was Ada Lumen born?", ["1900"], None, 1)
    ]


def test_questions_that_are_not_clear_are_left_out():
    namesake = ("Ada Lumen (poet)", *ADA[1:2], "Dutch poet (1950–1990)", "Ada Lumen was a Dutch poet.")
    told = ("Lumen of Sweden", "People", "King of Sweden from 1501 to 1520", "Lumen of Sweden was King of Sweden.")
    again = (*CARDIFF[:3], "Lumenau is the capital of Wales, again.")
    asked = articles_asked(articles(ADA, namesake, told, CARDIFF, again))
    assert asked["text"].to_list() == ["What is the capital of Wales?"]


def test_counts_are_of_documents_that_name_both_by_any_name():
    texts = ["Ada Lumen is from Denmark.", "Lumen, a Danish writer.", "Danish lamps.", "Lumenau and Denmark", "Lumen"]
    counts = count_articles(texts, [["Ada Lumen", "Lumen"], ["Lumenau"]], [["Danish", "Denmark"], ["Lumenau"]])
    assert counts.to_list() == [2, 0]  # an answer that is the subject is none, by the published rule


def test_a_last_name_that_is_another_s_or_a_word_is_not_counted():
    """Titles: two Lumens. Texts: west is a word, Wick is none."""
    common = common_words(["Ada Lumen", "Bo Lumen", "Mae West", "Cy Wick"], ["Ada went west.", "Wick stayed."])
    called = [["Ada Lumen", "Lumen"], ["Mae West", "West"], ["Cy Wick", "Wick"], ["Lumen"], ["yen", "west"]]
    assert clear_names(called, common) == [["Ada Lumen"], ["Mae West"], ["Cy Wick", "Wick"], ["Lumen"], ["yen", "west"]]
    west = ("Mae West", "People", "American actress (1900–1980)", "Mae West was an American actress.")
    away = ("Lamp", "Technology", None, "American lamps come from the West, and the west is far.")
    assert encyclopedia_questions(articles(west, away))["count"].to_list() == [1, None]


def planted(*sizes):
    """Questions with 1, 2 and 4 articles, so many of each, and a passage alone."""
    counts = [count for count, size in zip((1, 2, 4), sizes) for _ in range(size)] + [None]
    rows = {"text": [f"Who is {n}?" for n in range(len(counts) - 1)] + [None], "count": counts}
    table = pl.DataFrame(rows, schema_overrides={"count": pl.Int64}).with_row_index("question")
    answers = [[f"a{n}"] for n in range(len(counts) - 1)] + [[]]
    return table.with_columns(answers=pl.Series(answers, dtype=pl.List(pl.String)), passage=pl.format("p{}", "question"))


def test_a_sample_has_as_many_questions_in_every_bin(caplog):
    table = as_set("real", "encyclopedia", planted(50, 40, 30), 60, 0)
    asked = table.filter("asked")
    assert asked.group_by("count").len().sort("count").rows() == [(1, 20), (2, 20), (4, 20)]
    assert table["proxy"].unique().to_list() == [ARTICLE_COUNT]
    other = as_set("real", "encyclopedia", planted(50, 40, 30), 60, 1)
    assert other["asked"].to_list() != table["asked"].to_list()
    with caplog.at_level(logging.INFO, "overtime"):
        few = as_set("real", "encyclopedia", planted(50, 40, 3), 60, 0)
    assert few.filter("asked").group_by("count").len().sort("count").rows() == [(1, 20), (2, 20), (4, 3)]
    assert caplog.messages == ["a bin of counts has 3 questions, not 20: all of them are asked"]
    assert as_set("real", "encyclopedia", planted(5, 4, 3), None, 0)["asked"].sum() == 12
    assert as_set("real", "birth_years", planted(50, 4, 3), 50, 0)["asked"].sum() == 50  # at random


def test_the_set_is_read_from_the_articles_and_empty_without_them(tmp_path):
    write_table(articles(CARDIFF, ADA, LAMP), tmp_path / "encyclopedia.parquet")
    table = as_set("real", "encyclopedia", read("encyclopedia", tmp_path / "encyclopedia.parquet"), None, 0)
    assert table.schema == SET
    assert table["asked"].to_list() == [True, True, False]
    assert table["family"].to_list() == ["capital", "nationality", None]
    assert read("birth_years", tmp_path / "encyclopedia.parquet")["passage"].null_count() == 1
    write_table(articles(), tmp_path / "none.parquet")
    for form in ("encyclopedia", "birth_years"):
        nothing = as_set("real", form, read(form, tmp_path / "none.parquet"), 240, 0)
        assert nothing.schema == SET
        assert nothing.is_empty()
    write_table(articles(LAMP), tmp_path / "lamp.parquet")
    with pytest.raises(InputError, match="none of 1 articles answers a question of resources/facts/families"):
        read("encyclopedia", tmp_path / "lamp.parquet")


def test_own_passage_and_answer_shown_are_told_apart():
    """The question's words lead to the article on lamps, which is not its own, but holds the answer."""
    lamps = ("Lamp", "Technology", None, "A Welsh capital: what is the capital of Wales but Lumenau.")
    others = [("Cow", "Biology", None, "Cows eat grass."), ("Sea", "Geography", None, "Seas are deep.")]
    table = as_set("real", "encyclopedia", encyclopedia_questions(articles(CARDIFF, lamps, *others)), None, 0)
    told = question_prompts(table, top=[1, 2]).select("condition", "hit", "own").rows()
    assert told == [
        ("closed_book", None, None),
        ("bm25_1", True, False),
        ("bm25_2", True, True),
        ("oracle", True, True),
        ("wrong", False, False),
    ]


def test_what_was_read_in_the_real_encyclopedia_was_right():
    """A random sample of its questions, each read with its article: `right` says whether question and answer are."""
    sample = pl.read_csv(READ)
    assert set(sample["family"]) <= {family.name for family in families()}
    assert sample["text"].n_unique() == sample.height >= 150
    right = int(sample["right"].sum())
    assert right / sample.height >= 0.97
    assert wilson(right, sample.height).lower >= 0.95
    assert sample["answer"].str.len_chars().max() < 40  # names and numbers, no sentence of anybody's
