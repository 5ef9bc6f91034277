"""Fixed phrases, Chinese names, names of works and of places, rows that go one way: each mechanism by its own."""

import pytest

from overtime.corpora.fixed_phrases import Phrases, in_phrase, phrases_by_word
from overtime.corpora.gender_words import rows
from overtime.corpora.rewrite import rewrite

KNOWN = ["king lear", "old wives' tale", "lord of the rings"]
PHRASES, NAMES = phrases_by_word(KNOWN), phrases_by_word(KNOWN, names=True)


def found(text: str, word: str, phrases: Phrases = PHRASES) -> bool:
    start = text.index(word)
    return in_phrase(text, start + len(word), word.lower(), phrases)


@pytest.mark.parametrize(
    ("text", "word", "is_one"),
    [
        ("an old wives' tale", "wives", True),
        ("Old wives’ tales, they said", "wives", True),
        ("told wives' tales", "wives", False),
        ("gold old wives' tailors", "wives", False),
        ("old wives", "wives", False),
        ("bold wives' tale", "wives", False),
        ("wives' tale", "wives", False),
        ("King Lear's fool", "King", True),
        ("King Learmonth", "King", False),
        ("The Lord of the Rings", "Lord", True),
        ("queen", "queen", False),
    ],
)
def test_a_phrase_ends_where_its_last_word_does(text, word, is_one):
    assert found(text, word) is is_one


@pytest.mark.parametrize("word", ["Old", "wives", "tale"])
def test_phrases_are_known_by_each_of_their_words(word):
    assert found("Old wives' tale", word)


def test_of_a_name_the_words_beside_have_capitals():
    assert found("The Lord of the Rings", "Lord", NAMES)
    assert not found("The Lord of the rings", "Lord", NAMES)
    assert found("Old Wives' tale", "Wives", NAMES) is False
    assert found("Old Wives' Tale", "Wives", NAMES)


@pytest.mark.parametrize(
    "text",
    [
        "The fleet of Zheng He sailed west.",
        "Ma He was a child then.",
        "A network by Kaiming He and others won.",
        "In their absence Professor He taught.",
        "The biologist He Jiankui was tried.",
        "He Xiangning was a painter.",
    ],
)
def test_a_chinese_name_is_no_pronoun(text):
    assert rewrite(text) == text
    other = text.replace("He", "She")
    assert rewrite(other, "masculinize") == other


@pytest.mark.parametrize(
    "text",
    [
        "Then He spoke.",
        "But He Himself came.",
        "So He said.",
        "Early Life He was born there.",
        "Police: Man Says He Ran Home",
        "As for God, He Who Waits Is Near.",
        "We met Dan. He left.",
        "China, He thought, is large.",
    ],
)
def test_a_pronoun_with_a_capital_is_one(text):
    assert " She " in f" {rewrite(text)}"


@pytest.mark.parametrize(
    ("text", "feminine"),
    [
        ("Sons and Lovers (1913) is about sons.", "Sons and Lovers (1913) is about daughters."),
        ("The Godfather is a 1972 film about a godfather.", "The Godfather is a 1972 film about a godmother."),
        ("King Henry (1509) and Holy Roman Emperor (1530).", "Queen Henry (1509) and Holy Roman Empress (1530)."),
        ("At King's College the king spoke.", "At King's College the queen spoke."),
        ("The king's college was the King's gift.", "The queen's college was the Queen's gift."),
        ("The Prince of Wales Theatre and the Prince of Wales.", "The Prince of Wales Theatre and the Princess of Wales."),
        ("The King. The Church of England.", "The Queen. The Church of England."),
        ("A Farmer's Son is read by a farmer's son.", "A Farmer's Son is read by a farmer's daughter."),
        ("Señor Paz met the señor.", "Señora Paz met the señor."),
        (
            "The Duke and the King are here; Queen are a band.",
            "The Duchess and the Queen are here; Queen are a band.",
        ),
        ("Brother to both, and the brother of Gonzales.", "Sister to both, and the sister of Gonzales."),
    ],
)
def test_names_of_works_and_of_places_stay_and_their_words_elsewhere_do_not(text, feminine):
    assert rewrite(text) == feminine


def test_a_row_goes_one_way_where_the_other_word_has_another_sense():
    assert rewrite("Two sultans came.") == rewrite("Two sultans came.", "swap") == "Two sultanas came."
    assert rewrite("Two sultanas fell in.", "masculinize") == rewrite("Two sultanas fell in.", "swap") == "Two sultanas fell in."
    assert rewrite("A patron came.") == "A patron came."
    assert rewrite("A patroness came.", "masculinize") == "A patron came."


def test_words_that_are_left_out_have_no_row_that_replaces_them():
    table = list(rows())
    kinds = {"subject", "reflexive", "object", "determiner", "possessive", "noun", "title", "name"}
    assert {row["kind"] for row in table} == kinds | {"masculine", "feminine", "left out"}
    replaced = {row["masculine"] for row in table if row["kind"] not in ("left out", "feminine", "name")}
    assert not replaced & {row["masculine"] for row in table if row["kind"] == "left out"} - {"dude", "dad"}
    for word in ("pope", "pharaoh", "caliph", "shah", "emir", "shogun"):
        assert rewrite(f"The {word} came.", "swap") == f"The {word} came."
