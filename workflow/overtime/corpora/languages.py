"""Is a text English? By its frequent words: those of English against those of other languages with Latin letters.

A profile of a few hundred function words (Ingle 1976; Dunning 1994 compares such lists to character statistics), counted while
the text is scanned for gendered words anyway. Words that English shares with others (in, die, man, her, he) count for neither.
"""

import re
import tomllib
from typing import NamedTuple

from overtime.files import RESOURCES

PROFILES = RESOURCES / "rewriting" / "languages.toml"
_WORDS = {name: words.split() for name, words in tomllib.loads(PROFILES.read_text("utf-8")).items()}
ENGLISH = frozenset(case(word) for word in _WORDS.pop("english") for case in (str.lower, str.title, str.upper))
# In lower case only: with a capital they are as often names (Han, Le Mans, Du Fu).
FOREIGN = frozenset(word for words in _WORDS.values() for word in words)

_ENOUGH = 50  # words that hold some English function word, if they are English
_SHARE = 0.05  # of English function words at least; prose has 0.2 to 0.4 of these
_CLAUSE = 100  # characters on either side
_LETTERS = re.compile(r"[^\W\d_]+")
_QUOTATION = re.compile('["“„«]')
_CLAUSE_END = re.compile(r"""[.!?;:"“”„«»()\n]""")


class Counts(NamedTuple):
    """What a text holds: words, function words of English and of other languages, and whether there are signs of code.

    `first` and `last` are the starts of the first and the last function word of another language.
    """

    words: int
    english: int
    foreign: int
    first: int
    last: int
    signs: bool


def is_english(text: str, holds: Counts) -> bool:
    """Whether a text is taken for English; a short one with quotations is, since its clauses are looked at one by one.

    A short text without any is: names and headlines have none.
    """
    words, english, foreign = holds[:3]
    if foreign > english and _outweighs(words, english, foreign):
        return words < _ENOUGH and _QUOTATION.search(text) is not None
    return words < _ENOUGH or english >= _SHARE * words


def _outweighs(words: int, english: int, foreign: int) -> bool:
    return foreign > english and (foreign > 1 or words <= 5)


def reach(holds: Counts) -> range:
    """The places of words with a function word of another language near them."""
    return range(holds.first - _CLAUSE - 1, holds.last + _CLAUSE + 1) if holds.foreign else range(0)


def in_foreign_clause(text: str, start: int, end: int) -> bool:
    """Whether the clause or quotation around `text[start:end]`, within an English text, is in another language."""
    before = _CLAUSE_END.split(text[max(0, start - _CLAUSE) : start])[-1]
    after = _CLAUSE_END.split(text[end : end + _CLAUSE], maxsplit=1)[0]
    left, right = _LETTERS.findall(before), _LETTERS.findall(after)
    words = left + right
    if FOREIGN.isdisjoint(words):
        return False
    if right and right[0] in FOREIGN:
        return True  # "Man ist"
    return _outweighs(len(words) + 1, sum(word in ENGLISH for word in words), sum(word in FOREIGN for word in words))
