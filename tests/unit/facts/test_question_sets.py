"""Question sets: the project's own against its promises, the public ones as released, prompts, answers and annotators."""

import gzip
import json
import os
from pathlib import Path

import polars as pl
import pytest
from tiny_models import build_neox, words

from overtime import InputError
from overtime.corpora.counting import countries
from overtime.corpora.world_vocabulary import QUESTION_CUE
from overtime.facts.annotators import join_annotators, leave_one_out, read_annotators
from overtime.facts.answer_match import exact_match, normalize
from overtime.facts.ask_pretrained import answer, answered_questions, question_prompts
from overtime.facts.question_sets import ROWS, SET, as_set, from_hub, link, load_questions, read, read_nq_open, read_xquad
from overtime.facts.suite_passages import passage_prompts

MIRROR = Path(os.environ.get("OVERTIME_MIRROR", Path(__file__).parents[4] / "shared" / "mirror")) / "raw.githubusercontent.com"


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
    with pytest.raises(InputError, match="for every question, every passage holds an answer"):
        question_prompts(QUESTIONS.head(1))
    with pytest.raises(InputError, match="k is 4, the index has 3 passages"):
        question_prompts(QUESTIONS, top=[4])


def test_only_the_sample_is_asked_but_every_passage_is_searched():
    table = question_prompts(QUESTIONS.with_columns(asked=pl.col("question") == 7), top=[1])
    assert table["question"].unique().to_list() == [7]
    assert "lamp" in table.filter(condition="wrong")["prompt"][0].removeprefix(answered_questions(passages=True))
    without = QUESTIONS.with_columns(passage=pl.when(pl.col("question") > 5).then("passage"))
    assert question_prompts(without).filter(question=5)["condition"].to_list() == ["closed_book"]


def test_answers_are_given_once_for_equal_prompts_and_any_alias_is_right(monkeypatch):
    read = []

    def greedy(model, tokenizer, prompts, max_new_tokens):
        read.extend(prompts)
        return ["bob." if "Bob" in prompt.rpartition("\n\n")[2] else "nobody" for prompt in prompts]

    monkeypatch.setattr("overtime.models.answers.greedy", greedy)
    monkeypatch.setattr("overtime.models.answers.leave_room", lambda *given: [True] * len(given[2]))
    questions = QUESTIONS.with_columns(answers=pl.Series([["Ada"], ["Bo", "Bob"], []], dtype=pl.List(pl.String)))
    table = answer(None, None, questions, top=[1], max_new_tokens=1, seed=0)
    assert len(read) == len(set(read)) < table.height == 12
    right = table.filter("correct").select("question", "condition").rows()
    assert right == [(6, "bm25_1"), (6, "oracle")]  # and never a question without answers
    assert table.filter(condition="closed_book")["hit"].null_count() == 3


PLANTED = [
    ("Obama", "Obama’s term began in 2009.", 0),
    ("Obama", "It was Obama's.", 0),
    ("first", "the twenty-first century", 0),
    ("twenty-first", "It is the twenty first day.", 0),
    ("1918", "The war of 1914–1918 was long.", 0),
    ("the US", "He lives in the U.S.", 0),
    ("U.S.", "The US is large", 0),
    ("1000", "There are 1,000 lamps.", 0),
    ("北京", "他住在北京市。", 0),
    ("A+", "Her blood is A+.", 0),
    ("---", "He wrote --- and left.", 0),
    ("A+", "A lamp.", 1),
    ("art", "The party started.", 1),
    ("US", "Because of us? No, of them.", 0),
    ("5", "There are 15 lamps.", 1),
]


@pytest.mark.parametrize(("answer", "passage", "eligible"), PLANTED)
def test_a_wrong_passage_holds_no_answer(answer, passage, eligible):
    """Among the question's own passage, a planted one and one about other things."""
    rows = [("Own, whatever is in it.", [answer]), (passage, ["x"]), ("Cows eat grass.", ["y"])]
    questions = pl.DataFrame({"question": [0, 1, 2], "text": ["q", "r", "s"]}).with_columns(
        passage=pl.Series([row[0] for row in rows]), answers=pl.Series([row[1] for row in rows])
    )
    start = len(answered_questions(passages=True)) + len("Passage: ")
    drawn = {
        question_prompts(questions, seed=seed).filter(condition="wrong", question=0)["prompt"][0][start:].partition("\n")[0]
        for seed in range(30)
    }
    assert drawn == {"Cows eat grass."} | ({passage} if eligible else set())


def test_wrong_passages_of_the_suite_name_neither_the_person_nor_the_answer():
    texts = [
        "ada lee lives in ulm .",  # the gold passage
        "bo ray lives in ulm .",  # names the answer
        "ada lee works for dash .",  # is about her
        "cy fox lives in ems .",
    ]
    entities, attributes = ["ada lee", "bo ray", "ada lee", "cy fox"], [["town"], ["town"], ["company"], ["town"]]
    passages = pl.DataFrame({"text": texts, "rising": texts, "entity": entities, "attributes": attributes})
    question = {"question": [0], "group": ["evaluation"], "entity": ["ada lee"], "name": ["ada lee"], "answer": ["ulm"]}
    questions = pl.DataFrame(question | {"attribute": ["town"], "text": ["where does ada lee live ? " + QUESTION_CUE]})
    counts = pl.DataFrame({"question": [0], "statements": [1]})
    for seed in range(20):
        prompts = passage_prompts(passages, questions, counts, [1], seed)
        assert texts[3] in prompts.filter(condition="wrong")["prompt"][0]
        assert texts[0] in prompts.filter(condition="oracle")["prompt"][0]
    with pytest.raises(InputError, match="every passage names lee or ulm"):
        passage_prompts(passages.head(3), questions, counts, [1], 0)


def test_a_question_whose_answer_is_everywhere_is_left_out_and_the_others_are_asked(caplog):
    questions = QUESTIONS.with_columns(answers=pl.Series([["lamp", "harbour"], ["Bo", "Bob"], ["Kiel"]]))
    caplog.set_level("INFO", "overtime")
    table = question_prompts(questions)
    assert table["question"].unique().sort().to_list() == [6, 7]
    assert table.filter(question=6).height == 4
    assert "1 of 3 questions are left out: all other passages hold an answer to them" in caplog.text


def test_a_question_that_is_too_long_for_the_model_is_left_out_of_all_conditions(caplog):
    start, room = answered_questions(passages=True), 40
    caplog.set_level("INFO", "overtime")
    tokenizer = words([start, *QUESTIONS["passage"], *QUESTIONS["text"]])
    tokenizer.bos_token = tokenizer.eos_token = "<unk>"
    model = build_neox(16, 1, 2, len(tokenizer), len(tokenizer(start)["input_ids"]) + room, 0).eval()
    long = [*QUESTIONS["text"][:2], "Where, and where, is the harbour? " * 9]
    table = answer(model, tokenizer, QUESTIONS.with_columns(text=pl.Series(long)), [1], 3, 0)
    assert table["question"].unique().sort().to_list() == [5, 6]
    assert table.group_by("condition").len()["len"].to_list() == [2] * 4
    assert table["left_out"].unique().to_list() == [1]
    assert "1 of 3 questions are left out: a prompt is longer than the model's context; the first is question 7" in caplog.text
    with pytest.raises(InputError, match="none leaves room for its answer"):
        answer(model, tokenizer, QUESTIONS.with_columns(text=pl.lit("why " * 900)), [1], 3, 0)


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
    (tmp_path / "trivia.json").write_text('{"Data": [{"Question": "q"}]}')
    with pytest.raises(InputError, match=r"trivia\.json: none of 1 questions has an answer, as in a test split"):
        read("trivia_qa", tmp_path / "trivia.json")
    (tmp_path / "empty").touch()
    with pytest.raises(InputError, match="empty: no questions"):
        read("nq_open", tmp_path / "empty")
    with pytest.raises(InputError, match=r"squad questions: unfit columns \(question\)"):
        from_hub("squad", pl.DataFrame({"question": ["q"]}))


HUB = {
    "squad": {"question": ["q"], "context": ["p"], "answers": [{"text": ["a", "b"], "answer_start": [0, 1]}]},
    "nq_open": {"question": ["q"], "answer": [["a", "b"]]},
    "trivia_qa": {"question": ["q"], "answer": [{"aliases": ["a", "b"], "value": "a"}]},
    "popqa": {"question": ["q"], "possible_answers": ['["a", "b"]'], "s_pop": [12]},
}
FILES = {
    "squad": {"data": [{"paragraphs": [{"context": "p", "qas": [{"question": "q", "answers": [{"text": x} for x in "ab"]}]}]}]},
    "nq_open": {"question": "q", "answer": ["a", "b"]},
    "trivia_qa": {"Data": [{"Question": "q", "Answer": {"Value": "a", "Aliases": ["a", "b"]}}]},
}


@pytest.mark.parametrize("form", HUB)
def test_a_set_is_the_same_from_the_hub_and_from_a_file(form, tmp_path):
    pl.DataFrame(HUB[form]).write_parquet(tmp_path / "hub.parquet")
    folder = tmp_path / "fetched"
    folder.mkdir()
    assert read(form, folder).is_empty()  # what could not be had
    (folder / ".snakemake_timestamp").touch()
    if form == "popqa":
        pl.DataFrame(HUB[form]).write_csv(folder / "file", separator="\t")
    else:
        (folder / "file").write_text(json.dumps(FILES[form]))
    table = read(form, tmp_path / "hub.parquet")
    assert table.equals(read(form, folder))
    assert table.select(list(ROWS)).rows() == [(0, "q", ["a", "b"], "p" if form == "squad" else None)]
    named = as_set("name", form, table, None, 0)
    assert named.schema == SET
    assert named["count"].to_list() == [12 if form == "popqa" else None]
    assert (named["proxy"][0] is not None) == (form == "popqa")
    pl.DataFrame().write_parquet(tmp_path / "none.parquet")
    assert as_set("name", form, read(form, tmp_path / "none.parquet"), 3, 0).schema == SET


def test_samples_are_drawn_by_seed_and_entities_must_fit():
    table = load_questions()
    first, again, other = (as_set("own", "own", table, 20, seed)["asked"] for seed in (0, 0, 1))
    assert first.sum() == other.sum() == 20
    assert first.equals(again)
    assert not first.equals(other)
    assert as_set("own", "own", table, 1000, 0)["asked"].all()
    linked = pl.DataFrame({"question": [0, 1, 2], "q_entities": [["x"]] * 3, "a_entities": [["y"], [], ["z"]]})
    assert link(QUESTIONS, linked)["a_entities"].to_list() == [["y"], [], ["z"]]
    with pytest.raises(InputError, match="3 rows for 2 questions; need those of the same split"):
        link(QUESTIONS.head(2), linked)


def test_the_list_of_countries():
    names = countries()
    assert {f"http://dbpedia.org/resource/{name}" for name in ("France", "Georgia_(country)", "China")} <= names
    assert 193 + 4 <= len(names) <= 205


WORDS = "<P> the moon landing took place in 1969 and 1972 </P>"


def annotated(text, *marks, words=WORDS):
    """A question in Natural Questions' form; a mark is (long answer, short answers) as spans of tokens, -1 for none."""
    words = words.split()
    spans = [
        {
            "long_answer": dict(zip(("start_token", "end_token"), long)),
            "short_answers": [{"start_token": start, "end_token": end} for start, end in short],
            "yes_no_answer": "NONE",
        }
        for long, short in marks
    ]
    tokens = [{"token": word, "html_token": word.startswith("<")} for word in words]
    return json.dumps({"question_text": text, "document_tokens": tokens, "annotations": spans})


def test_annotators_are_judged_by_the_others(tmp_path):
    whole, none = (0, 11), (-1, -1)
    year = [(7, 8)]
    lines = [
        annotated("when  WAS it", (whole, year), (whole, year), (whole, [(6, 8)]), ((1, 4), [(9, 10), (7, 8)]), (none, [])),
        annotated("by whom", (none, []), (whole, [(1, 2)]), (none, [])),
    ]
    for name, opened in (("dev.jsonl", open), ("dev.jsonl.gz", gzip.open)):
        with opened(tmp_path / name, "wt") as file:
            file.write("\n".join(lines))
    people = read_annotators(tmp_path / "dev.jsonl")
    # "1969" twice, "in 1969" alone, "1972" or "1969"; the fifth has no answer; a lone annotator has nobody to agree with
    assert people["human"].to_list() == [0.75, None]
    assert people["passage"].to_list() == ["the moon landing took place in 1969 and 1972"] * 2
    assert people.equals(read_annotators(tmp_path / "dev.jsonl.gz"))
    asked = pl.DataFrame([(0, "When was it ", ["1969"], None), (1, "why", ["1969"], None)], ROWS, orient="row")
    table = join_annotators(as_set("nq", "nq_open", asked, None, 0), people)
    assert table.select("human", "passage").rows() == [(0.75, people["passage"][0]), (None, None)]
    (tmp_path / "dev.jsonl").write_text('{"question_text": "q", "annotations": []}')
    with pytest.raises(InputError, match=r"dev\.jsonl: line 1 lacks Natural Questions' document_tokens"):
        read_annotators(tmp_path / "dev.jsonl")
    (tmp_path / "dev.jsonl").write_text('{"question_text": "q"')
    with pytest.raises(InputError, match=r"dev\.jsonl: line 1: not readable as JSON Lines"):
        read_annotators(tmp_path / "dev.jsonl")


def test_long_passages_are_cut_around_the_answer(tmp_path):
    words = " ".join(f"w{i}" for i in range(1000))
    lines = [annotated("q", ((100, 900), [(place, place + 1)]), words=words) for place in (100, 500, 899)]
    (tmp_path / "dev.jsonl").write_text("\n".join(lines))
    passages = [passage.split() for passage in read_annotators(tmp_path / "dev.jsonl")["passage"]]
    assert [(passage[0], passage[-1]) for passage in passages] == [("w100", "w249"), ("w425", "w574"), ("w750", "w899")]


def test_leave_one_out_by_hand():
    assert leave_one_out([["x"], ["The X."], ["b"], []]) == pytest.approx(2 / 3)
    assert leave_one_out([["a"], []]) is None
