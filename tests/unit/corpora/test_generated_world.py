"""The generated corpus: known truth, nothing leaked, the same every time."""

import polars as pl
import pytest
from bm25s.stopwords import STOPWORDS_EN

from overtime.corpora.generated_world import GeneratedWorld, generate, recorded_counts
from overtime.corpora.rewrite import rewrite
from overtime.corpora.world_chance import invent_words, log_uniform, spread, stream
from overtime.corpora.world_people import INHABITED, People
from overtime.corpora.world_vocabulary import CHANGES, QUESTION_CUE, QUESTIONS, STATEMENTS

BINS = {"1": 30, "2-3": 30, "8-15": 30, "64-127": 6}
SETTINGS = {
    "seed": 3,
    "people_per_bin": BINS,
    "values_per_attribute": 8,
    "first_names": 10,
    "last_names": 30,
    "gendered": 3000,
    "fillers": 50,
    "reading": 200,
    "question_share": 0.25,
    "comentions": 30,
    "association": 1.0,
}


@pytest.fixture(scope="module")
def world() -> GeneratedWorld:
    return generate(SETTINGS)


@pytest.fixture(scope="module")
def people() -> People:
    return People(**{key: SETTINGS[key] for key in INHABITED})


@pytest.fixture(scope="module")
def counts(world) -> pl.DataFrame:
    return world.questions.join(recorded_counts(world.record, world.questions), on="question")


def test_people_have_as_many_biographies_as_their_bins_say(people, world):
    written = world.record.filter(kind="biography").group_by("entity").agg(pl.col("document").n_unique())
    documents = dict(written.iter_rows())
    assert documents == {person.entity: person.mentions for person in people.everyone}
    for label, n in BINS.items():
        low, high = (int(end) for end in (label.split("-") * 2)[:2])
        assert sum(low <= count <= high for count in documents.values()) == n


def test_the_record_says_what_the_documents_say(people, world):
    """Every document on record names the value and calls its person by the name, or by the last name alone."""
    texts, facts = world.documents["text"].to_list(), {person.entity: person for person in people.everyone}
    for document, _, entity, attribute in world.record.iter_rows():
        person = facts[entity]
        assert texts[document].startswith(
            (person.name + " ", person.name.split()[1] + " ") if person.last_name_only else person.name
        )
        assert person.facts[attribute] in texts[document].split()
    assert world.record["document"].n_unique() == world.documents.filter(pl.col("kind").is_in(["biography", "comention"])).height


def test_a_comention_states_nothing_and_is_independent_of_the_statements(world, counts):
    texts = world.documents.filter(kind="comention")["text"]
    frames = [frame for kind in (STATEMENTS, CHANGES) for choice in kind.values() for frame in choice]
    starts = {frame.partition("{")[0].strip() for frame in frames} - {""}
    assert not [text for text in texts if any(f" {start} " in text for start in starts)]
    assert counts["comentions"].min() == 0
    assert 20 < counts["comentions"].max() <= 30
    assert abs(counts.select(pl.corr("statements", "comentions", method="spearman")).item()) <= 0.4


def test_shares_of_people_are_those_of_the_plan(people):
    everyone = people.everyone
    named = [person.name for person in everyone]
    shared = [person for person in everyone if named.count(person.name) > 1]
    assert len(shared) == pytest.approx(0.1 * len(everyone), abs=2)
    assert len({person.entity for person in everyone}) == len(everyone)
    assert sum(person.last_name_only for person in everyone) == pytest.approx(0.1 * len(everyone), abs=1)
    aliased = [person for person in everyone if person.alias]
    assert len(aliased) == pytest.approx(len(everyone) / 3, abs=1)
    assert all(person.alias != person.name and person.alias.split()[1] == person.name.split()[1] for person in aliased)
    called = [person for person in everyone if person.last_name_only and person.mentions > 60]
    for person in called:
        shorter = [one.text.split()[0] == person.name.split()[1] for one in people.biographies() if one.person == person]
        assert sum(shorter) / len(shorter) == pytest.approx(0.5, abs=0.2)
    # Namesakes are of one group: nobody in the corpus is asked about whose questions are kept for evaluation.
    groups: dict[str, set[str]] = {}
    for person in everyone:
        groups.setdefault(person.name, set()).add(person.group)
    assert all(len(group) == 1 for group in groups.values())


def test_facts_have_changed_as_often_at_every_count_and_more_often_where_they_rise(people):
    ordered = sorted(people.everyone, key=lambda person: person.mentions)
    thirds = [ordered[:32], ordered[32:64], ordered[64:]]
    for attribute, expected in (("changed", [0.3, 0.3, 0.3]), ("rising", [0.18, 0.35, 0.52])):
        shares = [sum(len(getattr(person, attribute)) for person in third) / 96 for third in thirds]
        assert shares == pytest.approx(expected, abs=0.06), attribute


def test_what_has_changed_is_told_beside_what_it_was(people, world):
    described = {person.entity: person for person in people.everyone}
    for entity, attributes, text, rising in world.passages.iter_rows():
        person = described[entity]
        assert len(attributes) == 2
        for attribute in attributes:
            for shown, changed in ((text, person.changed), (rising, person.rising)):
                assert person.facts[attribute] in shown.split()
                assert (person.former[attribute] in shown.split()) == (attribute in changed)
    assert world.passages.filter(pl.col("text") != pl.col("rising")).height > 0


def test_questions_share_no_word_with_what_states_a_fact():
    said = " ".join(frame for kind in (STATEMENTS, CHANGES) for choice in kind.values() for frame in choice)
    asked = " ".join(frame for choice in QUESTIONS.values() for frame in choice)
    words = [{word for word in text.split() if word.isalpha()} - set(STOPWORDS_EN) for text in (said, asked)]
    assert not words[0] & words[1]


def test_a_third_is_asked_for_by_an_alias_that_one_document_tells(people, world):
    told = world.documents.filter(kind="alias")["text"].to_list()
    assert sorted(told) == sorted(f"{one.name} is also called {one.alias} ." for one in people.everyone if one.alias)
    for row in world.questions.iter_rows(named=True):
        assert row["asked_as"] in row["text"]
        assert (row["name"] in row["text"]) == (row["asked_as"] == row["name"])
        assert row["text"].endswith(QUESTION_CUE)


def test_evaluation_people_are_never_asked_about_in_the_corpus(people, world):
    asked = " ".join(world.documents.filter(kind="question")["text"])
    names = {
        group: {person.asked_as for person in people.everyone if person.group == group} for group in ("evaluation", "training")
    }
    assert not [name for name in names["evaluation"] - names["training"] if f" {name} " in asked]
    assert all(f" {name} " in asked for name in names["training"])


def test_a_reading_exercise_is_about_a_stranger_and_answered_by_its_passage(people, world):
    known = {person.name for person in people.everyone}
    for text in world.documents.filter(kind="reading")["text"]:
        passage, *questions = text.removeprefix("passage : ").split(" question : ")
        assert not [name for name in known if passage.startswith(name + " ")]
        assert len(questions) == 2
        assert all(question.split()[-2] in passage.split() for question in questions)


def test_same_seed_same_world_and_more_fillers_change_nothing_else(world):
    again = generate(SETTINGS)
    assert again.documents.equals(world.documents)
    assert again.record.equals(world.record)
    more = generate(SETTINGS | {"fillers": 80})
    assert sorted(more.documents.filter(kind="gender")["text"]) == sorted(world.documents.filter(kind="gender")["text"])
    other = generate(SETTINGS | {"seed": 4})
    assert not set(other.questions["answer"]) <= set(world.questions["answer"])


def test_every_word_that_a_model_reads_is_among_the_texts(world):
    words = {word for text in world.texts() for word in text.split()}
    for column in (world.questions["text"], world.questions["answer"], world.passages["rising"], world.contexts["text"]):
        assert {word for text in column for word in text.split()} <= words


def test_draws_of_chance_are_what_they_say():
    rng = stream(0, "test")
    for chances in ([0.3] * 90, [0.1, 0.9] * 40, [1.0, 0.0]):
        assert abs(spread(rng, chances).sum() - sum(chances)) < 1
    drawn = [log_uniform(rng, 1, 31) for _ in range(4000)]
    assert (min(drawn), max(drawn)) == (1, 31)
    for low, high in ((1, 1), (2, 3), (4, 7), (8, 15), (16, 31)):  # of a fifth each
        assert sum(low <= one <= high for one in drawn) / len(drawn) == pytest.approx(0.2, abs=0.03)


def test_invented_words_are_no_words_of_the_frames_and_have_no_gender():
    """With so many, every word of two syllables is drawn: papas and dukes among them."""
    words = invent_words(stream(0, "test"), 40_000)
    assert len(set(words)) == 40_000
    assert not set(words) & {word for choice in STATEMENTS.values() for frame in choice for word in frame.split()}
    assert [word for word in words if len(word) < 6 and rewrite(word, "swap") != word] == []


def test_rewriting_changes_sentences_about_gender_and_no_other_document(world):
    changed = world.documents.filter(pl.Series(rewrite(text, "swap") != text for text in world.documents["text"]))
    assert set(changed["kind"]) == {"gender", "filler"}
