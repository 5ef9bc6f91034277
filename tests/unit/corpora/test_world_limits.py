"""What the generated world can carry is known beforehand, and is what it then needs."""

import polars as pl
import pytest

from overtime import InputError
from overtime.corpora.generated_world import GeneratedWorld
from overtime.corpora.world_insertion import choose_targets
from overtime.corpora.world_limits import check_context, check_people
from overtime.facts.suite_passages import passage_prompts

BINS = {"1": 30, "2-3": 40, "4-7": 40, "8-15": 20}


@pytest.fixture(scope="module")
def world() -> GeneratedWorld:
    return GeneratedWorld(seed=0, people_per_bin=BINS, values_per_attribute=8, first_names=20, last_names=20)


@pytest.fixture(scope="module")
def documents(world) -> pl.DataFrame:
    return world.documents(gendered=3000, fillers=500, reading=4000, question_share=0.2)


@pytest.fixture(scope="module")
def counts(world) -> pl.DataFrame:
    """Documents that state the fact of each question, from the generator's own record."""
    stated: dict[tuple[str, str], int] = {}
    for person, _, attributes in world.biographies():
        for attribute in attributes:
            stated[person.name, attribute] = stated.get((person.name, attribute), 0) + 1
    facts = world.questions().select("entity", "attribute").iter_rows()
    return world.questions().select("question", count=pl.Series([stated.get(fact, 0) for fact in facts]))


def least_context(top: list[int]) -> int:
    """The smallest context that is not refused."""
    for context in range(1, 300):
        try:
            check_context(context, top)
        except InputError:
            continue
        return context
    raise AssertionError(top)


def test_as_many_people_as_said_can_be_chosen_and_no_more(world, counts):
    with pytest.raises(InputError, match=r"^insertion.people: 1000 for each of 2 doses, but only \d+ people") as error:
        check_people(world, [0, 5], 1000, 6)
    most = int(str(error.value).split("at most ")[1].split()[0])
    check_people(world, [0, 5], most, 6)
    assert choose_targets(world.questions(), counts, [0, 5], most, 6, seed=0).height == 2 * most
    with pytest.raises(InputError):
        choose_targets(world.questions(), counts, [0, 5], most + 1, 6, seed=0)


def test_the_longest_document_is_known(documents):
    least = least_context([])
    assert least == 1 + max(len(text.split()) for text in documents["text"])
    with pytest.raises(InputError, match=rf"^suite.context: {least - 1} tokens; the longest documents have {least}"):
        check_context(least - 1, [])


@pytest.mark.parametrize("top", [3, 5])
def test_prompts_are_as_long_as_was_said_at_most(world, documents, counts, top):
    prompts = passage_prompts(documents, world.questions(), counts, [top], seed=0)
    longest = 1 + max(len(text.split()) for text in prompts["prompt"])
    assert longest <= least_context([top]) <= longest + top, "frames differ by a word or so in every passage"
    with pytest.raises(InputError, match=r"^retrieval.top: 9 passages and a question have up to \d+ tokens, .*; at most 7 fit"):
        check_context(128, [1, 9])
