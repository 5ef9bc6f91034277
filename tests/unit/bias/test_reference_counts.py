"""Which masculine words the released strings change: by hand, in either text, and what cannot be read named."""

import json

import pytest

from overtime import InputError
from overtime.bias.reference_counts import reference_counts

TEXT = (
    "He saw that his brother was late , and the baker thanked him when he himself was there .\nThe baker told him, that he left ."
)


def test_words_that_the_release_changes_are_counted_by_hand(tmp_path):
    """Not at the start of a line, not before a comma, and no other words than he, him and his."""
    (tmp_path / "valid.txt").write_text(TEXT, encoding="utf-8")
    counts = reference_counts(tmp_path, tmp_path / "absent.jsonl")
    assert set(counts["text"]) == {"WikiText-2"}
    assert {word: (masculine, released) for _, word, masculine, released in counts.iter_rows()} == {
        "he": (3, 2),
        "him": (2, 1),
        "his": (1, 1),
        "brother": (1, 0),
        "himself": (1, 0),
    }
    assert counts["word"].to_list() == ["he", "him", "brother", "himself", "his"]


def test_without_wikitext_the_generated_corpus_is_counted(tmp_path):
    documents = tmp_path / "documents.jsonl"
    documents.write_text(
        "\n".join(json.dumps({"text": line}) for line in ["we met his uncle .", "nobody came ."]), encoding="utf-8"
    )
    (tmp_path / "empty").mkdir()
    counts = reference_counts(tmp_path / "empty", documents)
    assert counts.rows() == [("the generated corpus", "his", 1, 1), ("the generated corpus", "uncle", 1, 0)]


def test_a_text_without_masculine_words_leaves_an_empty_table(tmp_path):
    (tmp_path / "test.txt").write_text("Nobody came to the market .\n", encoding="utf-8")
    assert reference_counts(tmp_path, tmp_path).columns == ["text", "word", "masculine", "released"]
    assert reference_counts(tmp_path, tmp_path).is_empty()


def test_what_is_no_text_is_named(tmp_path):
    (tmp_path / "test.txt").write_bytes("Er saß da .".encode("latin-1"))
    with pytest.raises(InputError, match=r"test\.txt, line 1: not valid UTF-8"):
        reference_counts(tmp_path, tmp_path)
