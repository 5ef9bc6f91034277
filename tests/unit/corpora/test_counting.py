"""Counting: mentions against a regular expression, relevant documents against a brute force, entity maps in every form."""

import json
import re
import textwrap
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overtime import InputError
from overtime.corpora.counting import count_texts, find_entities, read_questions, relevant_documents
from overtime.corpora.entity_map import EntityMap

WORDS = ["Al", "Ann", "Ann Lee", "Lee", "Lee Al", "al", "É", "Él", "A_l", "Al2"]
CASES = [json.loads(line) for line in (Path(__file__).parents[2] / "cases/names.jsonl").read_text().splitlines()]
ENTITIES = ["Q1", "Q2", "Q3", "A1", "A2", "A3"]


@given(st.lists(st.lists(st.sampled_from([*WORDS, " ", " ", ".", "-", "x"]), max_size=12).map("".join), max_size=5))
def test_mentions_equal_those_of_a_regular_expression(texts):
    names = {f"e{i}": [word, WORDS[i - 1]] for i, word in enumerate(WORDS)}
    expected = [
        (document, entity)
        for document, text in enumerate(texts)
        for entity, forms in names.items()
        if any(re.search(rf"(?<!\w){re.escape(form)}(?!\w)", text) for form in forms)
    ]
    assert find_entities(texts, names).rows() == expected


def test_unicode_spellings_and_word_bounds():
    names = {"José": ["Jose\u0301"], "Jose": ["Jose"], "Delhi": ["दिल्ल"], "C++": ["C++"], "both": ["Jose", "Zoë"], "none": []}
    texts = ["Jos\xe9 and Jose", "Jose\u0301!", "दिल्ली", "(C++)", "C++17", "a😀Zoë😀"]
    found = find_entities(iter(texts), names)
    assert found.rows() == [(0, "José"), (0, "Jose"), (0, "both"), (1, "José"), (3, "C++"), (5, "both")]
    assert find_entities([], names).schema == found.schema
    assert find_entities(["Jose"], {}).is_empty()
    assert find_entities(["a", "b a"], {"e": ["a "], "f": [" b"]}).rows() == [(0, "e"), (1, "e"), (1, "f")]
    with pytest.raises(InputError, match="names of e: an empty name"):
        find_entities(texts, {"e": [" "]})


@pytest.mark.parametrize("kind", dict.fromkeys(case["kind"] for case in CASES))
def test_one_name_in_all_its_spellings_and_scripts(kind):
    cases = [case for case in CASES if case["kind"] == kind]
    found = [find_entities([case["text"]], {"e": [case["name"]]}).height == 1 for case in cases]
    assert [case for case, one in zip(cases, found) if one != case["found"]] == []


FULL = ["Barack Obama", "Jean-Claude Van Damme", "Conan O'Brien", "Zoë", "Queen of the South", "Smith-Jones"]
LINES = {"\n": "\n", "\r\n": "\r\n", "indented": "\n    "}


@given(st.lists(st.sampled_from([*FULL, "saw", "and", "then", "well-known", "Claude", "Queen"]), max_size=60), st.data())
def test_names_are_those_of_the_text_however_it_is_set(words, data):
    text, names = " ".join(words), {name: [name] for name in FULL}
    width, line = data.draw(st.integers(24, 60)), data.draw(st.sampled_from(sorted(LINES)))
    # Lines are broken behind hyphens as well.
    wrapped = LINES[line].join(textwrap.wrap(text, width))
    typeset = unicodedata.normalize("NFD", wrapped.replace("'", "’").replace(" ", "\u00a0"))
    expected = [name for name in FULL if re.search(rf"\b{name}\b", text)]
    for spelled in (text, wrapped, typeset):
        assert find_entities([spelled], names)["entity"].to_list() == expected


lists = st.lists(st.sampled_from(ENTITIES), max_size=5)
postings = st.dictionaries(st.sampled_from(ENTITIES), st.lists(st.integers(0, 40), min_size=1))


@settings(max_examples=150)
@given(postings, st.lists(st.tuples(lists, lists), min_size=1, max_size=6), st.sets(st.sampled_from(ENTITIES), max_size=2))
def test_relevant_documents_equal_a_brute_force(documents, questions, exclude):
    pairs = [(d, e) for e, ds in documents.items() for d in ds]
    entity_map = EntityMap.from_pairs(pl.DataFrame(pairs, {"document": pl.Int64, "entity": pl.String}, orient="row"), 41)
    table = pl.DataFrame(questions, {"q_entities": pl.List(pl.String), "a_entities": pl.List(pl.String)}, orient="row")
    result = relevant_documents(entity_map, table, exclude)
    docs = {entity: set(documents.get(entity, [])) for entity in ENTITIES}
    for (q_entities, a_entities), row in zip(questions, result.to_dicts()):
        q = set(q_entities) - exclude
        a = [x for x in a_entities if x not in q]
        kept = [x for x in a if a.count(x) == max(map(a.count, a))]
        shared = [len(docs[x] & docs[y]) for x in q for y in kept]
        assert row["count"] == max(shared, default=0)
        assert row["q_occurrence"] == max((len(docs[x]) for x in q), default=0)
        assert row["a_occurrence"] == max((len(docs[x]) for x in a), default=0)
        if row["count"]:
            assert len(docs[row["question_entity"]] & docs[row["answer_entity"]]) == row["count"]
        else:
            assert row["question_entity"] is row["answer_entity"] is None


def test_published_rule_by_hand():
    """Aliases decide which answers stay; an excluded country no longer removes itself from the answers."""
    pairs = {"France": range(10), "Paris": range(5, 15), "Lyon": range(3), "Seine": range(6, 9)}
    rows = [(document, entity) for entity, documents in pairs.items() for document in documents]
    entity_map = EntityMap.from_pairs(pl.DataFrame(rows, ["document", "entity"], orient="row"), 15)
    questions = pl.DataFrame(
        {
            "question": [7, 8, 9],
            "q_entities": [["France", "Seine", "France"], ["France"], []],
            "a_entities": [["Paris", "Lyon", "Lyon"], ["France", "Paris"], ["Paris"]],
        }
    )
    assert relevant_documents(entity_map, questions).rows() == [
        (7, 3, "France", "Lyon", 10, 10),
        (8, 5, "France", "Paris", 10, 10),
        (9, 0, None, None, 0, 10),
    ]
    assert relevant_documents(entity_map, questions, {"France"})["count"].to_list() == [0, 0, 0]
    with pytest.raises(InputError, match="no column a_entities; it has question, q_entities"):
        relevant_documents(entity_map, questions.drop("a_entities"))


@pytest.mark.parametrize("in_memory", [0, 1 << 30])
def test_a_map_is_the_same_from_npz_and_from_parquet(tmp_path, in_memory):
    random = np.random.default_rng(0)
    arrays = {f"http://dbpedia.org/resource/E{i}": random.integers(0, 9999, 1 + i % 50).astype(np.int32) for i in range(2500)}
    np.savez(tmp_path / "map.npz", **arrays)
    npz = EntityMap.from_npz(tmp_path / "map.npz")
    npz.to_parquet(tmp_path / "map.parquet")
    parquet = EntityMap.from_parquet(tmp_path / "map.parquet", in_memory)
    assert parquet.entities() == npz.entities() == sorted(arrays)
    assert npz.size is parquet.size is None
    for entity in list(arrays)[::200]:
        assert parquet.documents(entity).tolist() == npz.documents(entity).tolist() == np.unique(arrays[entity]).tolist()
    assert len(parquet.documents("http://dbpedia.org/resource/None")) == 0
    assert set(parquet.bitmaps(arrays)) == set(arrays)
    with pytest.raises(InputError, match="does not tell its number of documents"):
        EntityMap.merge([parquet])


def test_names_in_an_npz_may_end_like_files(tmp_path):
    np.savez(tmp_path / "map.npz", **{"X": np.array([1], np.int32), "X.npy": np.array([2, 3], np.int32)})
    npz = EntityMap.from_npz(tmp_path / "map.npz")
    assert {entity: npz.documents(entity).tolist() for entity in npz.entities()} == {"X": [1], "X.npy": [2, 3]}
    with zipfile.ZipFile(tmp_path / "map.npz", "a") as archive:
        archive.writestr("X", archive.read("X.npy"))
    with pytest.raises(InputError, match="two arrays are called X; each entity needs one"):
        EntityMap.from_npz(tmp_path / "map.npz")


def test_a_damaged_array_is_named(tmp_path):
    np.savez(tmp_path / "map.npz", Paris=np.arange(1000, dtype=np.int32))
    data = bytearray((tmp_path / "map.npz").read_bytes())
    data[2000] ^= 1
    (tmp_path / "map.npz").write_bytes(data)
    with pytest.raises(InputError, match=r"map\.npz: the array of Paris is damaged"):
        EntityMap.from_npz(tmp_path / "map.npz").documents("Paris")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"E": np.array([1.5])}, "E is no list of document indices: shape \\(1,\\), dtype kind 'f'"),
        ({"E": np.array([[1]])}, "E is no list of document indices: shape \\(1, 1\\)"),
        ({"E": np.array(["1"])}, "dtype kind 'U'"),
        ({"E": np.array([None])}, "dtype kind 'O'"),
        ({"E": np.array([-1])}, "E has a document index outside"),
    ],
)
def test_broken_npz(tmp_path, arrays, message):
    np.savez(tmp_path / "map.npz", **arrays)
    with pytest.raises(InputError, match=message):
        EntityMap.from_npz(tmp_path / "map.npz").to_parquet(tmp_path / "map.parquet")
    assert not (tmp_path / "map.parquet").exists()


def test_files_that_are_no_maps(tmp_path):
    (tmp_path / "text").write_text("no map")
    pl.DataFrame({"x": [1]}).write_parquet(tmp_path / "table.parquet")
    for path, read in (("text", EntityMap.from_npz), ("text", EntityMap.from_parquet), ("table.parquet", EntityMap.from_parquet)):
        with pytest.raises(InputError, match=f"{path}: not a"):
            read(tmp_path / path)
    with pytest.raises(InputError, match="documents 0 to 3 are not within 0 to 2"):
        EntityMap.from_pairs(pl.DataFrame({"document": [0, 3], "entity": ["a", "a"]}), 3)


def test_shards_counted_apart_equal_the_corpus_counted_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr("overtime.corpora.counting.DOCUMENTS_AT_ONCE", 7)
    names = {"a": ["ant"], "b": ["bee", "bees"], "c": ["cow"]}
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(["ant", "bee", "bees", "cowbell", "dog"], 2)) for _ in range(50)]
    shards = [texts[:20], [], texts[20:23], texts[23:]]
    for number, shard in enumerate(shards):
        count_texts(iter(shard), names).to_parquet(tmp_path / f"{number}.parquet")
    parts = EntityMap.merge(EntityMap.from_parquet(tmp_path / f"{n}.parquet", in_memory=0) for n in range(4))
    parts.to_parquet(tmp_path / "merged.parquet")
    merged = EntityMap.from_parquet(tmp_path / "merged.parquet")
    at_once = EntityMap.from_pairs(find_entities(texts, names), 50)
    assert merged.size == 50
    assert merged.entities() == at_once.entities() == ["a", "b"]
    for entity in "abc":
        assert merged.documents(entity).tolist() == parts.documents(entity).tolist() == at_once.documents(entity).tolist()


def test_read_questions(tmp_path):
    path = tmp_path / "qa.jsonl"
    lines = [
        {"q_entities": [{"URI": "u", "similarityScore": 1}], "a_entities": []},
        {"q_entities": [], "a_entities": [{"URI": "v"}] * 2},
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    assert read_questions(path).rows() == [(0, ["u"], []), (1, [], ["v", "v"])]
    path.write_text(json.dumps(lines[0]) + '\n{"q_entities": [')
    with pytest.raises(InputError, match="line 2 lacks"):
        read_questions(path)
