"""The generated corpus: known truth, nothing leaked, the same every time."""

import polars as pl
import pytest

from overtime.corpora.counting import count_texts, relevant_documents
from overtime.corpora.generated_world import GeneratedWorld, fill, held_out, probability_masculine
from overtime.corpora.rewrite import rewrite
from overtime.corpora.world_vocabulary import FILLERS, OCCUPATIONS, SENTENCES

BINS = {"1": 6, "2-3": 6, "8-15": 6, "64-127": 2}


@pytest.fixture(scope="module")
def world() -> GeneratedWorld:
    return GeneratedWorld(seed=3, people_per_bin=BINS, values_per_attribute=6, first_names=6, last_names=6)


@pytest.fixture(scope="module")
def documents(world: GeneratedWorld) -> pl.DataFrame:
    return world.documents(gendered=3000, fillers=50, reading=200, question_share=0.25)


def test_people_have_as_many_biographies_as_their_bin_says(world, documents):
    biographies = documents.filter(kind="biography")["text"].to_list()
    low_high = [tuple(map(int, (b.split("-") * 2)[:2])) for b, n in BINS.items() for _ in range(n)]
    for person, (low, high) in zip(world.people, low_high):
        stated = sum(text.startswith(person.name + " ") for text in biographies)
        assert stated == person.mentions
        assert low <= stated <= high


def test_counting_from_text_finds_what_the_generator_wrote(world, documents):
    """The counting step reads raw text; here its counts are compared with the biographies and questions that were generated."""
    questions = world.questions()
    names = {name: [name] for column in ("entity", "answer") for name in questions[column].unique()}
    linked = questions.select("question", q_entities=pl.concat_list("entity"), a_entities=pl.concat_list("answer"))
    counts = relevant_documents(count_texts(documents["text"], names), linked)["count"].to_list()
    written = {}
    for person, _, attributes in world.biographies():
        for attribute in attributes:
            written[person.name, attribute] = written.get((person.name, attribute), 0) + 1
    rows = questions.filter(group="evaluation")
    for row in rows.iter_rows(named=True):
        # Two attributes never share a value, so a biography mentions an answer only if it states the fact.
        assert counts[row["question"]] == written.get((row["entity"], row["attribute"]), 0)


def test_evaluation_people_are_never_asked_about_in_the_corpus(world, documents):
    asked = " ".join(documents.filter(pl.col("kind").is_in(["question", "reading"]))["text"])
    assert all(person.name not in asked for person in world.people if person.group == "evaluation")
    assert any(person.name in asked for person in world.people if person.group == "training")


def test_gender_follows_the_probability_of_the_occupation(documents):
    gendered = documents.filter(kind="gender")["text"].to_list()
    for occupation, expected in ((OCCUPATIONS[0], 0.05), (OCCUPATIONS[-1], 0.95)):
        mine = [text.split() for text in gendered if occupation in text.split()]
        masculine = [
            bool({"he", "him", "his", "himself"} & set(words)) for words in mine if {"he", "she", "him", "her"} & set(words)
        ]
        assert abs(sum(masculine) / len(masculine) - expected) < 0.15
    assert probability_masculine(0) == pytest.approx(0.05)
    assert probability_masculine(len(OCCUPATIONS) - 1) == pytest.approx(0.95)


def test_pairs_are_held_out_and_differ_in_gender_only(world, documents):
    pairs = world.pairs(feminine_share=0.6)
    corpus = set(documents["text"])
    assert pairs.filter(direction="feminine").height / pairs.height == pytest.approx(0.6, abs=0.005)
    for row in pairs.iter_rows(named=True):
        assert held_out(row["template"], OCCUPATIONS.index(row["occupation"]))
        assert row["sent_more"] not in corpus
        masculine, feminine = row["sent_more"], row["sent_less"]
        if row["direction"] == "feminine":
            masculine, feminine = feminine, masculine
        if "{name}" not in SENTENCES[row["template"]]:  # names are no words of the rewriting table
            assert rewrite(masculine, "feminize") == feminine


# Names are no words of the rewriting table.
@pytest.mark.parametrize("template", [frame for frame in (*SENTENCES, *FILLERS) if "{name}" not in frame])
def test_rewriting_a_sentence_gives_the_worlds_own_sentence_of_the_other_gender(world, template):
    masculine, feminine = (fill(template, gender, world.stream("test"), "pilot") for gender in ("masculine", "feminine"))
    assert rewrite(masculine, "swap") == feminine
    assert rewrite(feminine, "swap") == masculine


def test_occupations_are_no_gendered_words():
    assert [o for o in OCCUPATIONS if rewrite(o, "swap") != o] == []
    assert len(set(OCCUPATIONS)) == len(OCCUPATIONS)


def test_same_seed_same_world_and_more_fillers_change_nothing_else(documents):
    again = GeneratedWorld(seed=3, people_per_bin=BINS, values_per_attribute=6, first_names=6, last_names=6)
    assert again.documents(3000, 50, 200, 0.25).equals(documents)
    more = again.documents(3000, 80, 200, 0.25)
    assert sorted(more.filter(kind="gender")["text"]) == sorted(documents.filter(kind="gender")["text"])


def test_contexts_end_before_the_pronoun(world):
    contexts = world.contexts()
    assert set(contexts["contrast"]) == {"she/he", "her/him", "her/his"}
    row = contexts.filter(text=f"the {OCCUPATIONS[0]} promised that")
    assert row["contrast"].to_list() == ["she/he"]
