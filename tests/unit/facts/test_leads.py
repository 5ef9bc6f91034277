"""The first sentence of an article, past abbreviations, and the lead."""

import pytest

from overtime.facts.leads import first_sentence, lead


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada was a keeper. She kept lamps.", "Ada was a keeper."),
        ("Ada P. Lumen Jr. was a keeper. She kept lamps.", "Ada P. Lumen Jr. was a keeper."),
        ("The Dance, Op. 71, is a ballet. It is long.", "The Dance, Op. 71, is a ballet."),
        ("Lumen (c. 1200 – c. 1260) was a king. He ruled.", "Lumen (c. 1200 – c. 1260) was a king."),
        ("St. Ada is a town in the U.S. state of Nowhere. It is old.", "St. Ada is a town in the U.S. state of Nowhere."),
        ("It is 3.5 metres high. That is much.", "It is 3.5 metres high."),
        ("Is it a lamp? It is.", "Is it a lamp?"),
        ('He said "no." Then he left.', 'He said "no."'),
        ("A line without a stop\nAnother line.", "A line without a stop"),
        ("No stop at all", "No stop at all"),
        ("", ""),
    ],
)
def test_the_first_sentence_ends_at_a_stop_that_is_one(text, expected):
    assert first_sentence(text) == expected


def test_a_lead_is_title_description_and_first_sentence():
    assert lead("Ada", "Keeper of lamps", "Ada kept lamps. She was old.") == "Ada: Keeper of lamps. Ada kept lamps."
    assert lead("Ada", None, "Ada kept lamps. She was old.") == "Ada. Ada kept lamps."
