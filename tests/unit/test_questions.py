"""Question sets: the project's own against its promises, the public ones as released, and the prompts of every condition."""

import os
from pathlib import Path

import polars as pl
import pytest

from overtime import InputError
from overtime.facts import exact_match, normalize
from overtime.questions import answered_questions, load_questions, question_prompts, read_nq_open, read_xquad

MIRROR = Path(os.environ.get("OVERTIME_MIRROR", Path(__file__).parents[3] / "shared" / "mirror")) / "raw.githubusercontent.com"


def test_own_questions_are_sound():
    questions = load_questions()
    assert questions.height >= 150
    assert questions["question"].to_list() == list(range(questions.height))
    assert questions["text"].n_unique() == questions["passage"].n_unique() == questions.height
    assert questions["domain"].value_counts()["count"].min() >= 8
    shown = answered_questions(passages=True)
    for row in questions.to_dicts():
        passage = f" {normalize(row['passage'])} "
        assert any(f" {normalize(answer)} " in passage or f" {normalize(answer)}s " in passage for answer in row["answers"]), row
        assert row["text"] not in shown
        assert row["zipf_phrase"] in [row["subject"], *row["answers"]]
    assert questions.filter(pl.col("zipf") == 0)["count"].unique().to_list() == [0]
    assert (questions["count"] >= 10_000).sum() >= 10  # from words that are in every book
    assert (questions["count"] < 100).sum() >= 30  # to words that are in few


def test_popularity_is_that_of_the_word_list():
    wordfreq = pytest.importorskip("wordfreq")
    for row in load_questions().to_dicts():
        zipf = {phrase: wordfreq.zipf_frequency(phrase, "en") for phrase in [row["subject"], *row["answers"]]}
        rarer = min(zipf[row["subject"]], max(zipf[answer] for answer in row["answers"]))
        assert (row["zipf"], row["zipf"]) == (pytest.approx(rarer), pytest.approx(zipf[row["zipf_phrase"]]))


QUESTIONS = pl.DataFrame(
    {
        "question": [5, 6, 7],
        "text": ["Who keeps the red lamp?", "Who keeps the green lamp?", "Where is the harbour?"],
        "answers": [["Ada"], ["Bo", "Bob"], ["Kiel"]],
        "passage": ["Ada keeps the red lamp.", "Bob keeps a green lamp.", "The harbour of Kiel is deep."],
    }
)


def test_prompts_of_every_condition():
    table = question_prompts(QUESTIONS, top=[1, 2])
    assert table["condition"].unique(maintain_order=True).to_list() == ["closed_book", "bm25_1", "bm25_2", "oracle", "wrong"]
    prompt = dict(table.filter(question=6).select("condition", "prompt").rows())
    hit = dict(table.filter(question=6).select("condition", "hit").rows())
    assert hit == {"closed_book": None, "bm25_1": True, "bm25_2": True, "oracle": True, "wrong": False}
    assert prompt["closed_book"] == answered_questions(passages=False) + "Question: Who keeps the green lamp?\nAnswer:"
    assert "Passage:" not in prompt["closed_book"]
    assert prompt["oracle"] == prompt["bm25_1"]
    best_last = "Passage: Ada keeps the red lamp.\nPassage: Bob keeps a green lamp.\nQuestion: Who keeps the green lamp?\nAnswer:"
    assert prompt["bm25_2"] == answered_questions(passages=True) + best_last
    assert "Bob" not in prompt["wrong"].removeprefix(answered_questions(passages=True))
    assert question_prompts(QUESTIONS.drop("passage"))["condition"].unique().to_list() == ["closed_book"]
    with pytest.raises(InputError, match="every passage holds an answer"):
        question_prompts(QUESTIONS.head(1))


def test_demonstrations_answer_in_the_format_that_is_asked_for():
    for passages in (False, True):
        start = answered_questions(passages)
        assert start.count("Question: ") == start.count("\nAnswer: ") == 4
        assert start.count("Passage: ") == 4 * passages
        assert start.endswith("\n\n")


@pytest.mark.skipif(not MIRROR.exists(), reason="no folder of public files (set OVERTIME_MIRROR)")
def test_public_question_sets():
    xquad = read_xquad(next(MIRROR.glob("google-deepmind/xquad/*/xquad.en.json")))
    assert (xquad.height, xquad["passage"].n_unique()) == (1190, 240)
    assert xquad.row(0, named=True)["answers"] == ["308"]
    assert all(answer in row["passage"] for row in xquad.to_dicts() for answer in row["answers"])
    nq = read_nq_open(next(MIRROR.glob("google-research-datasets/natural-questions/*/nq_open/NQ-open.dev.jsonl")))
    assert nq.height == 3610
    assert nq["answers"].list.len().min() > 0
    assert exact_match("the december 1972", nq["answers"][0].to_list())
    hits = question_prompts(xquad.sample(60, seed=0)).filter(condition="bm25_1")["hit"]
    assert hits.mean() > 0.8


def test_broken_question_files(tmp_path):
    (tmp_path / "set.json").write_text('{"data": [{"paragraphs": [{"context": ""}]}]}')
    with pytest.raises(InputError, match=r"set\.json: not a SQuAD file"):
        read_xquad(tmp_path / "set.json")
    (tmp_path / "nq.jsonl").write_text('{"question": "q", "answer": ["a"]}\n{"question": "q", "ans')
    with pytest.raises(InputError, match=r"nq\.jsonl: line 2 is not"):
        read_nq_open(tmp_path / "nq.jsonl")
