"""Texts of which a share is rewritten: exact in every block of neighbours, drawn by a seed, and what settings may say of them."""

import json
from fractions import Fraction
from itertools import islice

import polars as pl
import pytest

from overtime import InputError
from overtime.corpora.gendered_documents import gendered_texts, pronoun_share
from overtime.corpora.rewrite import draw_share, rewrite, rewrite_file
from overtime.pipeline.settings_corpora import Corpus

TWO_WAY = {"two-way": {"mode": "swap", "probability": 0.5}}


@pytest.mark.parametrize("share", [0.5, 0.25, 0.3, 0.999, 1 / 3])
def test_every_block_of_neighbours_has_exactly_the_share(share):
    part = Fraction(share).limit_denominator(1000)
    drawn = list(islice(draw_share(share, [0]), 20 * part.denominator))
    blocks = [drawn[start : start + part.denominator] for start in range(0, len(drawn), part.denominator)]
    assert {sum(block) for block in blocks} == {part.numerator}
    assert len({tuple(block) for block in blocks}) > 1, "chance says which"
    assert drawn == list(islice(draw_share(share, [0]), len(drawn)))
    assert drawn != list(islice(draw_share(share, [1]), len(drawn)))


def test_one_of_every_two_neighbouring_documents_is_rewritten_and_the_others_keep_their_bytes(tmp_path):
    lines = [json.dumps({"n": n, "text": f"He met her in year {n} of his life."}) for n in range(41)]
    (tmp_path / "0.jsonl").write_text("\n\n".join(lines) + "\n")  # blank lines are no documents
    report = rewrite_file(tmp_path / "0.jsonl", tmp_path / "new.jsonl", "swap", draw_share(0.5, [7]))
    found = [line for line in (tmp_path / "new.jsonl").read_text().split("\n") if line]
    changed = [line != old for line, old in zip(found, lines, strict=True)]
    assert all(sum(changed[start : start + 2]) == 1 for start in range(0, 40, 2))
    assert (report.documents, report.changed) == (41, sum(changed))
    for line, old, new in zip(found, lines, changed, strict=True):
        text = json.loads(old)["text"]
        assert json.loads(line) == json.loads(old) | {"text": rewrite(text, "swap") if new else text}


def test_a_list_of_ways_is_short_for_names_that_are_ways():
    listed = Corpus(shards="x.jsonl", rewrite=["feminize", "swap"])
    assert (
        listed.rewrite == Corpus(shards="x.jsonl", rewrite={"feminize": {"mode": "feminize"}, "swap": {"mode": "swap"}}).rewrite
    )
    named = Corpus(shards="x.jsonl", rewrite=TWO_WAY, insert={"born": {"facts": "f.csv", "share": 0.1}})
    assert named.texts == ["original", "feminize", "masculinize", "swap", "released", "two-way", "born"]
    assert named.rewriting("two-way").probability == 0.5
    assert named.rewriting("swap").probability == 1
    assert named.rewriting("born") is None
    assert named.rewriting("original") is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shards": "x.jsonl", "rewrite": ["feminise"]}, "Input should be 'feminize'"),
        ({"shards": "x.jsonl", "rewrite": ["swap", "swap"]}, "'swap' is listed twice"),
        ({"shards": "x.jsonl", "rewrite": [TWO_WAY]}, r"a list holds ways of rewriting; other texts have a name, as in two-way"),
        ({"shards": "x.jsonl", "rewrite": {"swap": {"mode": "swap", "probability": 0.5}}}, "rewrite.swap: already names another"),
        ({"shards": "x.jsonl", "rewrite": {"original": {"mode": "swap"}}}, "rewrite.original: already names another text"),
        ({"shards": "x.jsonl", "rewrite": {"half": {"mode": "swap", "probability": 0}}}, "greater than 0"),
        ({"shards": "x.jsonl", "rewrite": TWO_WAY, "insert": {"two-way": {"facts": "f", "share": 1}}}, "insert: two-way already"),
        ({"shards": "x.jsonl", "dataset": "encyclopedia"}, "give either shards or dataset"),
        ({}, "give either shards or dataset"),
        ({"shards": []}, "give either shards or dataset"),
        ({"dataset": "wikipedia"}, "Input should be 'encyclopedia'"),
        ({"shards": "x.jsonl", "pronouns": 5}, "pronouns: chooses among the documents of a dataset"),
        ({"dataset": "encyclopedia", "documents": [4, 3]}, r"documents: \[4, 3\] holds none"),
    ],
)
def test_texts_that_cannot_be_told_apart_or_had_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Corpus(**settings)


def test_documents_with_many_pronouns_are_chosen_and_ordered_by_chance():
    assert pronoun_share("He said: her hat is HERS.") == 3 / 6
    assert pronoun_share("") == 0
    assert pronoun_share("The theme of them all") == 0
    texts = pl.Series([f"Text {n} of his." if n % 2 else f"Text {n} without any." for n in range(40)])
    chosen = [document["text"] for document in gendered_texts(texts, 25, 0, "config: corpora.c")]
    assert sorted(chosen) == sorted(text for text in texts if "his" in text)
    assert chosen != [text for text in texts if "his" in text]
    assert chosen == [document["text"] for document in gendered_texts(texts, 25, 0, "")]
    assert chosen[5:9] == [document["text"] for document in gendered_texts(texts, 25, 0, "", [5, 9])]
    with pytest.raises(InputError, match=r"^key\.documents: 20 documents to choose from, not 21"):
        gendered_texts(texts, 25, 0, "key", [5, 21])
    assert chosen != [document["text"] for document in gendered_texts(texts, 25, 1, "")]
    assert len(list(gendered_texts(texts, 0, 0, ""))) == 40
    with pytest.raises(InputError, match=r"config: corpora.c: no document has 26 gendered pronouns in 100 words; ask for fewer"):
        gendered_texts(texts, 26, 0, "config: corpora.c")
    with pytest.raises(InputError, match=r"config: corpora.c: the data set could not be had"):
        gendered_texts(texts.head(0), 5, 0, "config: corpora.c")
