"""What ways of rewriting do to texts: by hand, what the release changes, each text by itself, what cannot be read named."""

import json

import polars as pl
import pytest

from overtime import InputError
from overtime.bias.reference_counts import (
    AS_WRITTEN,
    FEMINIZED,
    HALF_TWO_WAY,
    REFERENCE_COLUMNS,
    RELEASED,
    TWO_WAY,
    WAY_COLUMNS,
    reference_counts,
    texts_at_hand,
)
from overtime.sources.encyclopedia import ARTICLE_COLUMNS

LINES = [
    "He saw that his brother was late , and the baker thanked him when he himself was there .",
    "The baker told him, that he left .",
]
FOUR = [
    "The king said that he lost his crown .",
    "Nobody came to the market .",
    "My aunt wrote that her son slept , and she laughed .",
    "We saw his uncle .",
]


def counted(documents: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    return reference_counts({"a text": ("lines", documents)})


def test_words_that_the_release_changes_are_counted_by_hand():
    """Not at the start of a line, not before a comma, and no other words than he, him and his."""
    words, _ = counted(LINES)
    assert words.rows() == [
        ("a text", "he", 3, 2),
        ("a text", "him", 2, 1),
        ("a text", "brother", 1, 0),
        ("a text", "himself", 1, 0),
        ("a text", "his", 1, 1),
    ]


def test_a_doubled_word_is_changed_as_often_as_the_release_changes_it():
    """It replaces strings with a space on either side, and two words share one: the second stays."""
    words, ways = counted(["We know that he he he left ."])
    assert words.rows() == [("a text", "he", 3, 2)]
    assert ways.filter(way=RELEASED).select("masculine", "feminine").rows() == [(1, 2)]


def test_ways_of_rewriting_by_hand():
    """Masculine: king, he, his; son; his, uncle. Feminine: aunt, her, she. Every second: the second and the fourth."""
    _, ways = counted(FOUR)
    assert {row[2]: row[3:] for row in ways.rows()} == {
        AS_WRITTEN: (4, 0, 9, 0, 6, 3, 3, 2),
        RELEASED: (4, 2, 9, 3, 3, 6, 0, 5),
        FEMINIZED: (4, 3, 9, 6, 0, 9, 0, 5),
        HALF_TWO_WAY: (4, 1, 9, 2, 4, 5, 2, 3),
        TWO_WAY: (4, 3, 9, 9, 3, 6, 2, 3),
    }
    assert ways.schema == WAY_COLUMNS


def test_madam_is_one_word_and_what_is_not_english_is_none():
    _, ways = counted(["Yes, ma'am, she said .", "Der Mann sagte , dass man nicht mit him oder his gehen kann ."])
    assert ways.filter(way=AS_WRITTEN).select("words", "feminine", "feminine_pronouns").row(0) == (2, 2, 1)
    assert ways.filter(way=TWO_WAY).select("touched", "masculine", "masculine_pronouns").row(0) == (1, 2, 1)
    assert ways.filter(way=RELEASED).select("touched", "words_touched").row(0) == (1, 0)


def test_texts_stand_beside_each_other_and_one_that_is_not_at_hand_is_left_out(tmp_path):
    articles = tmp_path / "articles.parquet"
    article = {"document": 0, "title": "t", "topic": "t", "description": None, "text": "She was a queen."}
    pl.DataFrame([article], ARTICLE_COLUMNS).write_parquet(articles)
    documents = tmp_path / "documents.jsonl"
    documents.write_text("\n".join(json.dumps({"text": line}) for line in ["we met his uncle .", "nobody came ."]), "utf-8")
    wikitext = tmp_path / "wikitext"
    wikitext.mkdir()
    words, ways = reference_counts(texts_at_hand(articles, wikitext, documents))
    assert words["text"].unique().to_list() == ["the generated corpus"]
    kinds = ways.select("text", "unit", "documents").unique(maintain_order=True).rows()
    assert kinds == [("the encyclopedia", "summaries", 1), ("the generated corpus", "documents", 2)]
    (wikitext / "valid.txt").write_text(" = King = \n\n The king came . \n", "utf-8")
    pl.DataFrame(schema=ARTICLE_COLUMNS).write_parquet(articles)
    words, ways = reference_counts(texts_at_hand(articles, wikitext, documents))
    assert words.filter(text="WikiText-2").rows() == [("WikiText-2", "king", 1, 0)]
    assert ways["text"].unique(maintain_order=True).to_list() == ["WikiText-2", "the generated corpus"]


def test_texts_without_documents_leave_empty_tables():
    words, ways = counted([])
    assert (words.schema, ways.schema, words.height, ways.height) == (REFERENCE_COLUMNS, WAY_COLUMNS, 0, 0)


def test_what_is_no_text_is_named(tmp_path):
    pl.DataFrame(schema=ARTICLE_COLUMNS).write_parquet(tmp_path / "articles.parquet")
    (tmp_path / "test.txt").write_bytes("Er saß da .".encode("latin-1"))
    with pytest.raises(InputError, match=r"test\.txt, line 1: not valid UTF-8"):
        reference_counts(texts_at_hand(tmp_path / "articles.parquet", tmp_path, tmp_path / "absent.jsonl"))
