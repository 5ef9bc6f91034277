"""Questions of every family, on articles written for these tests, and the traps beside them."""

from pathlib import Path

import polars as pl
import pytest

from overtime.facts.families import CORE, Article, families, names_of_kind, short_title
from overtime.facts.leads import first_sentence

FAMILIES = {family.name: family for family in families()}
CASES = pl.read_csv(Path(__file__).parents[2] / "cases/questions/articles.csv").to_dicts()
ASKED, TRAPS = ([case for case in CASES if (case["why"] == "asked") == asked] for asked in (True, False))


def ask(family, title, topic, description, text):
    return FAMILIES[family].ask(Article(title, topic, description, first_sentence(text), text))


def told(case):
    return ask(*(case[name] for name in ("family", "title", "topic", "description", "text")))


@pytest.mark.parametrize("case", ASKED, ids=lambda case: f"{case['family']}: {case['title']}")
def test_an_article_of_a_family_is_asked_about(case):
    asked = told(case)
    assert asked is not None
    assert (asked.text, asked.answers[0]) == (case["question"], case["answer"])


def test_every_family_has_a_case():
    assert {case["family"] for case in ASKED} == set(FAMILIES)
    assert {family.set for family in families()} == {CORE, "birth_years"}


@pytest.mark.parametrize("case", TRAPS, ids=lambda case: case["why"])
def test_what_is_not_confirmed_or_not_clear_is_not_asked(case):
    assert told(case) is None


def test_names_of_subject_and_answer():
    assert names_of_kind("person", "Jan van Lumen") == ["Jan van Lumen", "van Lumen", "Lumen"]
    assert names_of_kind("person", "Ada Lumen") == ["Ada Lumen", "Lumen"]
    for alone in ("Lumen", "Lumen III", "Ada the Great", "Ada of Lampa", "Ada Jr."):
        assert names_of_kind("person", alone) == [alone]
    assert names_of_kind("country", "U.S.")[:2] == ["United States", "the United States"]
    assert names_of_kind("people", "Danish") == ["Danish", "Denmark"]
    assert short_title("Lampa, Chile", "place") == "Lampa"
    assert short_title("The Good, the Lamp (film)", "thing") == "The Good, the Lamp"
    accents = ask("country_of_place", "Lampa", "Geography", "City in Ivory Coast", "Lampa is in Ivory Coast.")
    assert accents.answers == ["Ivory Coast", "Côte d'Ivoire", "Cote d'Ivoire"]
    english = ask("nationality", "Ada Lumen", "People", "English writer (1900–1980)", "Ada Lumen was an English writer.")
    assert english.answers[:3] == ["English", "England", "British"]
    assert english.names == ["English", "England"]  # who is British need not be
    assert english.subject == ["Ada Lumen", "Lumen"]
