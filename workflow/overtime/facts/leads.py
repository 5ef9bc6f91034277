"""The lead of an article: what it is called, what it is, and its first sentence."""

import re

# A stop that ends no sentence: after an initial, a title, a generation, a number's or a date's abbreviation.
ABBREVIATED = re.compile(
    r"(?:\b[^\W\d_]|\b(?:Jr|Sr|St|Dr|Mr|Mrs|Ms|Gen|Op|No|Nos|Mt|Ft|Lt|Col|Capt|c|ca|cf|vs|fl|lit|est|approx|b|d|r)|\.[^\W\d_])\.$"
)
STOP = re.compile(r"[.!?][\"”’)]*(?=\s+[\"“‘(]*[^\W_a-zß-ÿ])|[.!?]?\s*\n|[.!?][\"”’)]*\s*$")


def first_sentence(text: str) -> str:
    """The first sentence of a text: up to a stop before a capital letter, a digit or a line's end, abbreviations apart."""
    for stop in STOP.finditer(text):
        sentence = text[: stop.end()].strip()
        if stop.end() == len(text) or not ABBREVIATED.search(sentence):
            return sentence
    return text.strip()


def lead(title: str, description: str | None, text: str) -> str:
    """The lead as a passage: title, description where there is one, first sentence."""
    return f"{title}: {description}. {first_sentence(text)}" if description else f"{title}. {first_sentence(text)}"
