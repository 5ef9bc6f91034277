"""Question sets as people save them: each file of tests/cases/questions reads right, or one line says what is wrong with it."""

import logging
from pathlib import Path

import polars as pl
import pytest

from overtime import InputError
from overtime.facts.question_sets import as_set, read
from overtime.facts.retrieval_table import retrieval_table

FILES = Path(__file__).parents[2] / "cases/questions"
LAMPS = [["Ada"], [], ["Kiel"], [], ["---", "two", "2"]]
NQ = [["Ada"], ["Paris"], ["1969", "1970"], ["a", "b"], []]


@pytest.mark.parametrize(
    ("form", "file", "answers"),
    [
        ("squad", "squad_impossible.json", LAMPS),
        ("squad", "squad_bom_crlf.json", LAMPS),
        ("squad", "squad_utf16.json", LAMPS),
        ("squad", "squad_packed.json", LAMPS),
        ("nq_open", "nq.jsonl", NQ),
        ("nq_open", "nq_packed.jsonl", NQ),
        ("nq_open", "nq.jsonl.gz", NQ),
        ("nq_open", "nq_zstd.txt", NQ),
        ("trivia_qa", "trivia.json", [["Ada", "A. Lovelace"], ["Kiel"], []]),
        ("popqa", "popqa.tsv", [["mathematician", "writer"], ["Kiel", "Ada's"], ["Kiel"]]),
    ],
)
def test_files_that_read_right(form, file, answers):
    table = read(form, FILES / file)
    assert table["answers"].to_list() == answers
    assert table["question"].to_list() == list(range(len(answers)))
    if form == "squad":
        assert table["passage"].to_list() == ["Ada’s lamp is red."] * 2 + ["The harbour of Kiel is deep."] * 3
    if form == "popqa":
        assert table["count"].to_list() == [30, None, 7]


@pytest.mark.parametrize(
    ("form", "file", "message"),
    [
        ("squad", "squad_none.json", "squad_none.json: none of 2 questions has an answer"),
        ("squad", "squad_cut.json", "squad_cut.json: not a SQuAD file .*, line 12: Expecting"),
        ("squad", "squad_no_context.json", "squad_no_context.json: question 1: context is null; need a text"),
        ("squad", "empty.json", "empty.json: not a SQuAD file"),
        ("squad", "nowhere.json", "nowhere.json: cannot be read"),
        ("nq_open", "nq_zstd_cut.jsonl.zst", "nq_zstd_cut.jsonl.zst: cannot be read"),
        ("nq_open", "nq_latin1.jsonl", "nq_latin1.jsonl, line 3: not valid UTF-8; save the file as UTF-8"),
        ("nq_open", "nq_utf16_no_mark.jsonl", "nq_utf16_no_mark.jsonl, line 1: holds zero bytes"),
        ("nq_open", "nq_surrogate.jsonl", r"nq_surrogate.jsonl: line 2: answer holds .ud83d, half of a character"),
        ("nq_open", "nq_surrogate_question.jsonl", r"line 1: question holds .udc00, half of a character"),
        ("nq_open", "nq_truth.jsonl", "nq_truth.jsonl: line 2: answer is true; need a text"),
        ("nq_open", "nq_nan.jsonl", "nq_nan.jsonl: line 1: answer is NaN; need a text"),
        ("nq_open", "nq_null_alias.jsonl", "nq_null_alias.jsonl: line 1: answer is null; need a text"),
        ("nq_open", "nq_null_question.jsonl", "nq_null_question.jsonl: line 3: question is null; need a text"),
        ("nq_open", "nq_deep.jsonl", "nq_deep.jsonl: line 1 is not"),
        ("nq_open", "nq_digits.jsonl", "nq_digits.jsonl: line 1 is not"),
        ("nq_open", "nq_bad_list.jsonl", "nq_bad_list.jsonl: line 1: .* begins like a list of answers and is none"),
        ("nq_open", "nq_blank.jsonl", "nq_blank.jsonl: no questions; need at least one"),
        ("nq_open", "nq_symbols.jsonl", "nq_symbols.jsonl: none of 1 questions has an answer"),
        ("trivia_qa", "trivia_test.json", "trivia_test.json: none of 2 questions has an answer, as in a test split"),
        ("popqa", "popqa_negative.tsv", "popqa_negative.tsv: row 2: s_pop -1; a whole number from 0 on is needed"),
        ("popqa", "popqa_fraction.tsv", "popqa_fraction.tsv: row 2: s_pop 2.5; a whole number"),
        ("popqa", "popqa_nan.tsv", "popqa_nan.tsv: row 2: s_pop NaN; a whole number"),
        ("popqa", "popqa_word.tsv", "popqa_word.tsv: row 2: s_pop many; a whole number"),
        ("popqa", "popqa_twice.tsv", "popqa_twice.tsv: two columns are called question"),
        ("popqa", "popqa_no_views.tsv", r"popqa_no_views.tsv: unfit columns \(question, possible_answers\)"),
    ],
)
def test_files_that_are_refused_in_one_line(form, file, message):
    with pytest.raises(InputError, match=message) as found:
        read(form, FILES / file)
    assert "\n" not in str(found.value)


def test_hub_tables_with_answers_of_other_kinds(tmp_path):
    for form, columns, answers in (
        ("nq_open", {"question": ["q", "r"], "answer": ["Paris", None]}, [["Paris"], []]),
        ("trivia_qa", {"question": ["q", "r"], "answer": [{"aliases": ["a", ""]}, {"aliases": []}]}, [["a"], []]),
        ("popqa", {"question": ["q"], "possible_answers": ["['a', 'b']"], "s_pop": [7.0]}, [["a", "b"]]),
    ):
        pl.DataFrame(columns).write_parquet(tmp_path / "hub.parquet")
        assert read(form, tmp_path / "hub.parquet")["answers"].to_list() == answers
    pl.DataFrame({"question": ["q"], "possible_answers": ["['a' 'b']"], "s_pop": [7]}).write_parquet(tmp_path / "hub.parquet")
    with pytest.raises(InputError, match=r"hub\.parquet: row 1: .* begins like a list of answers"):
        read("popqa", tmp_path / "hub.parquet")


def test_every_file_of_a_folder_is_read(tmp_path):
    for name in ("nq_packed.jsonl", "nq_zstd.txt"):
        (tmp_path / name).write_bytes((FILES / name).read_bytes())
    table = read("nq_open", tmp_path)
    assert table["answers"].to_list() == NQ * 2
    assert table["question"].to_list() == list(range(10))
    (tmp_path / "readme.md").write_text("These are questions.")
    with pytest.raises(InputError, match=r"readme\.md: line 1 is not"):
        read("nq_open", tmp_path)


def test_questions_without_answers_are_not_asked_and_counted(caplog):
    table = read("squad", FILES / "squad_impossible.json")
    with caplog.at_level(logging.INFO, "overtime"):
        named = as_set("lamps", "squad", table, None, 0)
    assert named["asked"].to_list() == [True, False, True, False, True]
    assert caplog.messages == ["lamps: 2 of 5 questions have no answer: they are not asked"]
    for seed in range(5):
        sample = as_set("lamps", "squad", table, 2, seed)
        assert sample.filter("asked")["answers"].list.len().to_list() == [1, 1] or sample["asked"][4]
        assert sample["asked"].sum() == 2
    assert as_set("lamps", "squad", table, 9, 0)["asked"].sum() == 3


def test_a_question_without_a_count_is_in_no_bin_and_the_others_are(caplog):
    with caplog.at_level(logging.INFO, "overtime"):
        named = as_set("popqa", "popqa", read("popqa", FILES / "popqa.tsv"), None, 0)
    assert caplog.messages == ["popqa: 1 of 3 questions have no count: they are in no bin of counts"]
    answers = named.select("set", "question", "count", counted="proxy", corpus=pl.lit(None, pl.String), correct=pl.lit(1.0))
    answers = answers.with_columns(
        model=pl.lit("m"),
        condition=pl.lit("closed_book"),
        hit=pl.lit(None, pl.Float64),
        own=pl.lit(None, pl.Float64),
        unit="question",
    )
    table = retrieval_table(answers, factor=10)
    bins = table.select("bin_low", "bin_high", "n").sort("bin_low", nulls_last=True)
    assert bins.rows() == [(1, 9, 1), (10, 99, 1), (None, None, 1)]
