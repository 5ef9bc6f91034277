"""Any corpus, shard by shard: finding shards, names to count, documents inserted, reports and what they extrapolate to."""

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overtime import InputError
from overtime.corpora.documents import write_lines
from overtime.corpora.entity_names import choose_names, label, read_linked_questions
from overtime.corpora.insertion_plan import insert_lines, plan_insertion, read_asked, read_facts
from overtime.corpora.shard_reports import report_shard, tally_lines, tally_texts
from overtime.corpora.throughput import read_reports, throughput_markdown, throughput_table
from overtime.pipeline.settings_continued import Continued, check_continued
from overtime.pipeline.settings_corpora import Corpus, find_shards


def test_shards_are_found_in_order_and_mistakes_named(tmp_path):
    for name in ("b/1.jsonl.zst", "a/0.jsonl.gz", "a/2.jsonl", "c/2.jsonl", "a/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_shards([f"{tmp_path}/b/1.jsonl.zst", f"{tmp_path}/a/*.jsonl*"])
    assert list(found.items()) == [(Path(n).name, tmp_path / n) for n in ("b/1.jsonl.zst", "a/0.jsonl.gz", "a/2.jsonl")]
    (tmp_path / "a/{}.jsonl").touch()
    (tmp_path / "a/folder.jsonl").mkdir()
    for patterns, message in (
        (["none/*.jsonl"], "no file matches .*none"),
        (["a/*.jsonl.gz", "a/0*"], r"a/0\.jsonl\.gz is listed twice"),
        (["a/*.txt"], r".*notes.txt is no shard; it must be a file whose name ends in \.jsonl, \.jsonl\.gz, .*\.json\.gz"),
        (["a/folder*"], "folder.jsonl is no shard; it must be a file"),
        (["a/{*"], "braces and line breaks cannot stand in the path of a shard; rename it"),
    ):
        with pytest.raises(InputError, match=message):
            find_shards([f"{tmp_path}/{pattern}" for pattern in patterns])


def test_shards_of_one_name_go_by_their_folders(tmp_path):
    for name in ("en/c4.00000.json.gz", "de/c4.00000.json.gz", "de/more/c4.00001.json.gz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert list(find_shards([f"{tmp_path}/en/*", f"{tmp_path}/de/*.gz", f"{tmp_path}/de/more/*"])) == [
        "en/c4.00000.json.gz",
        "de/c4.00000.json.gz",
        "de/more/c4.00001.json.gz",
    ]
    assert list(find_shards([f"{tmp_path}/de/**/*.gz"])) == ["c4.00000.json.gz", "c4.00001.json.gz"]


def test_reports_hold_what_was_read_and_estimates_follow_from_them(tmp_path):
    for number, documents in enumerate((3, 1)):
        write_lines(['{"text": "é"}'.encode()] * documents, tmp_path / f"{number}.jsonl")
        with report_shard("read", f"{number}.jsonl", tmp_path / f"{number}.parquet") as row:
            assert list(tally_texts(tmp_path / f"{number}.jsonl", row)) == ["é"] * documents
    reports = read_reports([tmp_path / "0.parquet", tmp_path / "1.parquet"])
    assert reports.select("task", "shard", "documents", "bytes").rows() == [
        ("read", "0.jsonl", 3, 45),
        ("read", "1.jsonl", 1, 15),
    ]
    assert (reports["cpu_seconds"] >= 0).all()
    rows = [("read", 10, 2 * 10**9, 36.0, 1), ("count", 5, 10**9, 360.0, None), ("read", 10, 2 * 10**9, 36.0, 2)]
    table = pl.DataFrame(rows, ["task", "documents", "bytes", "cpu_seconds", "extra"], orient="row")
    read, count = throughput_table(table, gigabytes=800, nodes=2, cores=10).to_dicts()
    assert (read["task"], read["shards"], read["documents"], read["gigabytes"]) == ("read", 2, 20, 4.0)
    assert read["gigabytes_per_core_hour"] == pytest.approx(4 / 0.02)
    assert read["estimated_core_hours"] == pytest.approx(4.0)
    assert count["estimated_hours"] == pytest.approx(800 / 10 / 20)
    assert "Estimated" in (page := throughput_markdown("pile", throughput_table(table, 800, 2, 10)))
    assert "| read | 2 | 20 | 4 | 0.02 | 200 | 4 | 0.2 |" in page
    assert "not in English" not in page
    rewritten = throughput_table(table.with_columns(not_english=pl.Series([2, None, 3])), 800, 2, 10)
    assert "not in English: 5 in read." in throughput_markdown("pile", rewritten)


def test_a_failed_job_reports_nothing(tmp_path):
    (tmp_path / "0.jsonl").write_text('{"text": "whole"}\n{"text": "cut of')
    with (
        pytest.raises(InputError, match=r"0\.jsonl, line 2: not valid JSON"),
        report_shard("read", "0.jsonl", tmp_path / "0.parquet") as row,
    ):
        list(tally_texts(tmp_path / "0.jsonl", row))
    assert not (tmp_path / "0.parquet").exists()


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=5), st.integers(0, 12), st.sampled_from([1.0, 0.5, 0.01]), st.integers(0, 9)
)
def test_inserted_documents_are_all_there_and_the_old_ones_as_they_were(sizes, new, share, seed):
    table = pl.DataFrame({"shard": [f"{i}.jsonl" for i in range(len(sizes))], "documents": sizes})
    texts = [f"new {i}" for i in range(new)]
    plan = plan_insertion(table, texts, share, seed)
    assert plan.equals(plan_insertion(table, texts, share, seed))
    assert sorted(plan["text"]) == sorted(texts)
    total, first, seen, where = sum(sizes), sum(sizes) - round(share * sum(sizes)), 0, []
    for shard, size in table.iter_rows():
        old = [b'{"text": "old"}', b""] * size
        lines = list(insert_lines(iter(old), plan.filter(shard=shard)))
        marked = [b'"inserted": true' in line for line in lines]
        assert [line for line, mark in zip(lines, marked) if not mark] == old
        for line, mark in zip(lines, marked):
            if mark:
                assert json.loads(line)["text"].startswith("new ")
                where.append(seen)
            seen += bool(line) and not mark
    assert len(where) == new
    assert all(first <= place <= total for place in where)


def test_insertion_is_spread_evenly_over_the_chosen_share():
    sizes = pl.DataFrame({"shard": ["a", "b"], "documents": [300, 700]})
    late, spread = (plan_insertion(sizes, ["x"] * 4000, share, 0) for share in (0.5, 1.0))
    assert set(late["shard"]) == {"b"}
    assert late["before"].min() >= 200
    assert late["before"].mean() == pytest.approx(450, abs=10)
    assert spread.filter(shard="a").height == pytest.approx(1200, abs=100)


def test_facts_become_documents_by_count_and_template(tmp_path):
    path = tmp_path / "facts.csv"
    path.write_text("who,town,count\nAda,{Ulm},3\nBo,Ems,0\n")
    templates = ["{who} is from {town}.", "{town} is where {who} was born."]
    assert read_facts(path, templates) == ["Ada is from {Ulm}.", "{Ulm} is where Ada was born.", "Ada is from {Ulm}."]
    pl.DataFrame({"text": ["a", "b"], "count": [1, 2]}).write_parquet(tmp_path / "facts.parquet")
    assert read_facts(tmp_path / "facts.parquet", ["{text}"]) == ["a", "b", "b"]
    for content, given_templates, message in (
        ("text,count\na,1\nb,-1\n", ["{text}"], "facts.csv: row 2: count -1; a whole number"),
        ("text,count\na,1\nb,many\n", ["{text}"], "row 2: count many"),
        ("text,count\na,1\n,1\n", ["{text}"], "facts.csv: row 2: no text"),
        ("text,count\na,1\n", ["{who}"], "facts.csv: no column who; it has text, count"),
        ("text,count\na,1\n", ["{text"], "config: template '{text'"),
        ("text\na\n", ["{text}"], "facts.csv: no column count"),
        ("", ["{text}"], "facts.csv: not a readable CSV"),
    ):
        path.write_text(content)
        with pytest.raises(InputError, match=message):
            read_facts(path, given_templates)


CASES = Path(__file__).parents[2] / "cases"


def test_questions_on_inserted_facts_have_aliases_and_one_group_each():
    asked = read_asked(CASES / "insertion/asked.csv")
    assert asked.select("question", "entity", "answers", "inserted").rows() == [
        (0, "Ada", ["Ulm", "Ulm on the Danube"], 30),
        (1, "Ada", ["maths", "poetry"], 30),
        (2, "Bo", ["A+"], 0),
        (3, "Cy", ["Ems"], None),
    ]
    assert read_asked(CASES / "insertion/utf16.csv")["entity"].to_list() == ["Zoë"]
    assert read_facts(CASES / "insertion/facts.csv", ["{who}"]) == ["Ada"] * 3


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("two_groups.csv", "two_groups.csv: inserted of Ada: row 1 says 30, row 3 0; an entity is in one group"),
        ("group_and_none.csv", "inserted of Ada: row 1 says 30, row 2 nothing; an entity is in one group"),
        ("two_spellings.csv", "inserted of André: row 1 says 30, row 2 300"),
        ("fraction.csv", "fraction.csv: row 1: inserted 30.5; a whole number from 0 on is needed"),
        ("negative.csv", "negative.csv: row 1: inserted -3; a whole number"),
        ("not_a_number.csv", "not_a_number.csv: row 2: inserted NaN; a whole number"),
        ("no_answer.csv", "no_answer.csv: row 2: answer has nothing to be seen"),
        ("no_column.csv", "no_column.csv: no column inserted"),
        ("two_columns.csv", "two_columns.csv: two columns are called inserted"),
        ("no_rows.csv", "no_rows.csv: no rows; need at least one"),
        ("empty.csv", "empty.csv: not a readable CSV table"),
        ("latin1.csv", "latin1.csv, line 3: not valid UTF-8"),
    ],
)
def test_questions_on_inserted_facts_that_are_refused(file, message):
    with pytest.raises(InputError, match=message):
        read_asked(CASES / "insertion" / file)


def test_counts_of_facts_are_whole_numbers(tmp_path):
    for file, message in (("facts_fraction.csv", "row 1: count 2.5"), ("facts_nan.csv", "row 2: count nan")):
        with pytest.raises(InputError, match=message):
            read_facts(CASES / "insertion" / file, ["{who}"])
    for numbers, counts in (([2.0, 0.0], ["a", "a"]), ([1, 1], ["a", "b"])):
        pl.DataFrame({"text": ["a", "b"], "count": numbers}).write_parquet(tmp_path / "facts.parquet")
        assert read_facts(tmp_path / "facts.parquet", ["{text}"]) == counts
    for number in (2.5, -1.0, float("nan"), float("inf"), True):
        pl.DataFrame({"text": ["b"], "count": [number]}).write_parquet(tmp_path / "facts.parquet")
        with pytest.raises(InputError, match=r"facts\.parquet: (row 1: count .*; a whole number|column count, row 1: )"):
            read_facts(tmp_path / "facts.parquet", ["{text}"])


def test_linked_questions_without_an_address_are_refused(tmp_path):
    read = read_linked_questions(CASES / "questions/linked.jsonl")
    assert read.rows() == [(0, ["x"], []), (1, [], ["y"])]
    for file, message in (
        ("linked_null.jsonl", "linked_null.jsonl: line 2: URI is null; need a text"),
        ("linked_half.jsonl", r"linked_half.jsonl: line 1: URI holds .ud800, half of a character"),
    ):
        with pytest.raises(InputError, match=message):
            read_linked_questions(CASES / "questions" / file)
    for entities, message in (
        ([["x"], [None]], "row 2: an entity of q_entities is null"),
        ([[1], [2]], r"column q_entities holds List\(Int64\); need lists of text"),
    ):
        pl.DataFrame({"q_entities": entities, "a_entities": [["y"], []]}).write_parquet(tmp_path / "linked.parquet")
        with pytest.raises(InputError, match=message):
            read_linked_questions(tmp_path / "linked.parquet")


def test_names_come_from_a_table_and_from_the_entities_themselves(tmp_path):
    assert label("http://dbpedia.org/resource/Jos%C3%A9_Mart%C3%AD") == "José Martí"
    assert label("http://dbpedia.org/resource/Paris_(mythology)") == "Paris"
    assert label("Q1") == "Q1"
    uris = [f"http://dbpedia.org/resource/{name}" for name in ("Ulm", "Ada_Lovelace")]
    questions = tmp_path / "questions.jsonl"
    questions.write_text(json.dumps({"q_entities": [{"URI": uris[1]}], "a_entities": [{"URI": uris[0]}] * 2}) + "\n")
    (tmp_path / "names.csv").write_text(f"entity,name\n{uris[1]},Ada\n{uris[1]},Lady Lovelace\n")
    assert choose_names(None, questions) == {uris[0]: ["Ulm"], uris[1]: ["Ada Lovelace"]}
    assert choose_names(tmp_path / "names.csv", questions) == {uris[0]: ["Ulm"], uris[1]: ["Ada", "Lady Lovelace"]}
    read_linked_questions(questions).write_parquet(tmp_path / "questions.parquet")
    assert read_linked_questions(tmp_path / "questions.parquet").equals(read_linked_questions(questions))
    (tmp_path / "names.csv").write_text("entity,name\nQ1,\n")
    with pytest.raises(InputError, match=r"names\.csv: row 1: no name"):
        choose_names(tmp_path / "names.csv", None)


RUN = {"model": "m", "parameters": 0.07, "corpus": "pile", "context": 8, "batch": 4, "learning_rate": 1e-4}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 4, "processes": 3}, "4 sequences cannot be shared evenly by 3"),
        ({"tokens": 31}, "31 do not fill one step of 4 x 8"),
        ({"corpus": "roots"}, "continued.r.corpus: no roots in corpora"),
        ({"text": "late"}, "continued.r.text: 'late' is none of original, feminize, .*, born"),
        ({"control": "early"}, "continued.r.control: no early in continued"),
        ({"text": "feminize", "control": "r"}, "continued.r.control: its text feminize must be an insertion with questions"),
    ],
)
def test_settings_of_a_continued_run_must_fit(changes, message):
    corpus = Corpus(shards="x.jsonl", insert={"born": {"facts": "f.csv", "share": 0.1}})
    assert corpus.shards == ["x.jsonl"]
    check_continued({"pile": corpus}, {"r": Continued(**RUN, text="born")})
    with pytest.raises(ValueError, match=message):
        check_continued({"pile": corpus}, {"r": Continued(**RUN | changes)})
    with pytest.raises(ValueError, match="swap already names another text"):
        Corpus(shards="x.jsonl", insert={"swap": {"facts": "f.csv", "share": 0.1}})


def test_tallied_lines_are_those_of_the_file(tmp_path):
    (tmp_path / "0.jsonl").write_bytes(b'{"text": "a"}\n\n{"text": "b"}')
    row = {"documents": 0, "bytes": 0}
    assert list(tally_lines(tmp_path / "0.jsonl", row)) == [b'{"text": "a"}', b"", b'{"text": "b"}']
    assert row["documents"] == 2
