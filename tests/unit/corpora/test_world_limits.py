"""What the generated world can carry is known beforehand, and is what it then needs."""

import polars as pl
import pytest

from overtime import InputError
from overtime.corpora.generated_world import GeneratedWorld, generate, recorded_counts
from overtime.corpora.world_insertion import choose_targets
from overtime.corpora.world_limits import check_context, check_people
from overtime.corpora.world_people import INHABITED, People
from overtime.corpora.world_vocabulary import ATTRIBUTES, CHANGES, QUESTION_CUE, QUESTIONS, STATEMENTS
from overtime.facts.suite_passages import passage_prompts

SETTINGS = {
    "seed": 0,
    "people_per_bin": {"1": 30, "2-3": 40, "4-7": 40, "8-15": 20},
    "values_per_attribute": 8,
    "first_names": 20,
    "last_names": 20,
    "gendered": 3000,
    "fillers": 500,
    "reading": 4000,
    "question_share": 0.2,
    "comentions": 10,
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
    return recorded_counts(world.record, world.questions)


def words(text: str) -> int:
    return len(text.split())


def least_context(top: list[int]) -> int:
    """The smallest context that is not refused."""
    for context in range(1, 300):
        try:
            check_context(context, top)
        except InputError:
            continue
        return context
    raise AssertionError(top)


def test_as_many_people_as_said_can_be_chosen_and_no_more(world, people, counts):
    with pytest.raises(InputError, match=r"^insertion.people: 1000 for each of 2 doses, but only \d+ people") as error:
        check_people(people, [0, 5], 1000, 6)
    most = int(str(error.value).split("at most ")[1].split()[0])
    check_people(people, [0, 5], most, 6)
    assert choose_targets(world.questions, counts, [0, 5], most, 6, seed=0).height == 2 * most
    with pytest.raises(InputError):
        choose_targets(world.questions, counts, [0, 5], most + 1, 6, seed=0)


def test_the_longest_document_is_known(world):
    least = least_context([])
    assert least == 1 + max(words(text) for text in world.documents["text"])
    with pytest.raises(InputError, match=rf"^suite.context: {least - 1} tokens; the longest documents have {least}"):
        check_context(least - 1, [])


@pytest.mark.parametrize("top", [3, 5])
def test_prompts_are_as_long_as_was_said_at_most(world, counts, top):
    prompts = passage_prompts(world.passages, world.questions, counts, [top], seed=0)
    assert 1 + max(words(text) for text in prompts["prompt"]) <= least_context([top])
    # As long where every passage is one of the longest.
    clauses = sorted((max((*STATEMENTS[a], *CHANGES[a]), key=words) for a in ATTRIBUTES), key=words)
    text = f"a b {clauses[-1]} and {clauses[-2]} .".format("x", former="y", now="x")
    passages = pl.DataFrame({"text": [text.replace("y", f"y{i}") for i in range(top)], "entity": "a b"})
    passages = passages.with_columns(rising="text", attributes=pl.lit(["town"], pl.List(pl.String)))
    question = max((wording for choice in QUESTIONS.values() for wording in choice), key=words)
    asked = {"question": 0, "entity": "a b", "name": "c d", "attribute": "town", "answer": "z", "group": "evaluation"}
    asked |= {"text": f"question : {question.format('a b')} {QUESTION_CUE}"}
    prompts = passage_prompts(passages, pl.DataFrame([asked]), pl.DataFrame({"question": [0], "statements": [1]}), [top], seed=0)
    assert 1 + max(words(text) for text in prompts["prompt"]) == least_context([top])
    with pytest.raises(InputError, match=r"^retrieval.top: 9 passages and a question have up to \d+ tokens, .*; at most 5 fit"):
        check_context(128, [1, 9])
