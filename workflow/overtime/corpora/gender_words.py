"""The gender of English words: the word table, the spellings it covers, and replacing them in a text.

The words are the rows of `resources/rewriting/gender_words.csv` and the compounds of `man_compounds.txt` (fireman, firemen). A
word is rewritten to its first row (dad to mom, but both mom and mum to dad); rows of kind `determiner` and `name` apply where a
noun or a capitalised name follows; rows of kind `feminine` turn the feminine word into the masculine one, which is everybody's,
and not back, rows of kind `masculine` the masculine word alone; rows of kind `left out` list the ambiguous words that are never
touched. A word is a run of letters and digits with its inner hyphens. An apostrophe ends a word, so that `he's` and `he’ll` are
`he` with something after it.
"""

import csv
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from overtime import InputError
from overtime.corpora.names import before_name, is_chinese_name, is_common
from overtime.corpora.possessives import before_noun
from overtime.corpora.word_senses import AMBIGUOUS, in_other_sense, is_helium
from overtime.files import RESOURCES

TABLE = RESOURCES / "rewriting" / "gender_words.csv"
COMPOUNDS = RESOURCES / "rewriting" / "man_compounds.txt"
WORD_COLUMNS = {
    "feminize": [("masculine", "feminine")],
    "masculinize": [("feminine", "masculine")],
    "swap": [("masculine", "feminine"), ("feminine", "masculine")],
}
CASES: tuple[Callable[[str], str], ...] = (str.upper, str.title, str.capitalize, str.lower)


class Choice(NamedTuple):
    """A replacement that depends on the words around it."""

    usual: "str | Choice"
    special: "str | Choice"
    applies: Callable[[str, int, int], bool]  # (text, start, end of the word) -> take the special form


Spellings = dict[str, str | Choice]
_SPECIAL = {"determiner": before_noun, "name": before_name}
MADAM = ("ma", "Ma", "MA")  # what the scanner finds of ma'am
_PRONOUNS = frozenset(("subject", "reflexive", "object", "possessive", "determiner"))


def rows() -> Iterator[dict[str, str]]:
    """The rows of the word table (masculine, feminine, kind, source, note)."""
    with open(TABLE, encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _pairs(old: str, new: str) -> Iterator[tuple[str, str, str]]:
    for row in rows():
        if row["kind"] != "left out" and row["kind"] != new:  # a row of kind `feminine` never gives the feminine word
            yield row[old], row[new], row["kind"]
    for stem in COMPOUNDS.read_text("utf-8").split():
        for man, woman in (("man", "woman"), ("men", "women")):
            yield stem + (man if old == "masculine" else woman), stem + (woman if old == "masculine" else man), "noun"


@cache
def spellings(mode: str) -> Spellings:
    """Every spelling that `mode` (feminize, masculinize or swap) replaces: the table's words in lower, Title and UPPER case."""
    if mode not in WORD_COLUMNS:
        raise InputError(f"mode {mode!r}: expected {', '.join(WORD_COLUMNS)} or released")
    usual: dict[str, tuple[str, str]] = {}
    special: dict[str, tuple[str, str]] = {}
    for columns in WORD_COLUMNS[mode]:
        for old, new, kind in _pairs(*columns):
            (special if kind in _SPECIAL else usual).setdefault(old, (new, kind))
    found: Spellings = {}
    for case in CASES:
        for word in usual | special:
            new, kind = usual.get(word, (word, "name"))
            entry: str | Choice = case(new)
            if word in special:
                entry = Choice(entry, case(special[word][0]), _SPECIAL[special[word][1]])
            found[case(word)] = _guarded(case(word), entry, kind)
    return found


def _guarded(word: str, new: str | Choice, kind: str) -> str | Choice:
    """The replacement of a spelling, or the word itself where it is a name, an acronym or has another sense."""
    if word in ("He", "She"):
        return Choice(Choice(new, word, is_chinese_name), word, is_helium) if word == "He" else Choice(new, word, is_chinese_name)
    if word.lower() in AMBIGUOUS:
        new = Choice(new, word, in_other_sense)
    if word.islower():
        return new
    return new if kind in _PRONOUNS and word != "HE" else Choice(word, new, is_common)
