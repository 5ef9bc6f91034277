"""The gender of English words: the word table, the spellings it covers, and replacing them in a text.

The words are the rows of `resources/gender_words.csv`. A word is rewritten to its first row (dad to mom, but both mom and mum to
dad); rows of kind `determiner` and `name` apply where a noun or a capitalised name follows; rows of kind `left out` list the
ambiguous words that are never touched. A word is a run of letters, digits and underscores with its inner hyphens: `man-made` and
`Spider-Man` are words of their own, as is `father-in-law`, which the table lists. An apostrophe ends a word, so that `he's` and
`he’ll` are `he` with something after it.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import NamedTuple
from unicodedata import category

from overtime import InputError
from overtime.corpora.possessives import before_name, before_noun
from overtime.files import RESOURCES

TABLE = RESOURCES / "gender_words.csv"
WORD_COLUMNS = {
    "feminize": [("masculine", "feminine")],
    "masculinize": [("feminine", "masculine")],
    "swap": [("masculine", "feminine"), ("feminine", "masculine")],
}
CASES: tuple[Callable[[str], str], ...] = (str.upper, str.title, str.capitalize, str.lower)


class Choice(NamedTuple):
    """A replacement that depends on the words around it."""

    usual: str
    special: str
    applies: Callable[[str, int, int], bool]  # (text, start, end of the word) -> take the special form


Spellings = dict[str, str | Choice]
_SEPARATORS = frozenset(" \n,.;:!?'\"")  # the usual neighbours, for speed
_SPECIAL = {"determiner": before_noun, "name": before_name}


@cache
def spellings(mode: str) -> Spellings:
    """Every spelling that `mode` (feminize, masculinize or swap) replaces: the table's words in lower, Title and UPPER case."""
    if mode not in WORD_COLUMNS:
        raise InputError(f"mode {mode!r}: expected {', '.join(WORD_COLUMNS)} or released")
    with open(TABLE, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] != "left out"]
    usual: dict[str, str] = {}
    special: dict[str, tuple[str, str]] = {}
    for old, new in WORD_COLUMNS[mode]:
        for row in rows:
            if row["kind"] in _SPECIAL:
                special.setdefault(row[old], (row[new], row["kind"]))
            else:
                usual.setdefault(row[old], row[new])
    found: Spellings = {}
    for case in CASES:
        found |= {case(word): case(new) for word, new in usual.items()}
        for word, (new, kind) in special.items():
            found[case(word)] = Choice(case(usual.get(word, word)), case(new), _SPECIAL[kind])
    return found


def replace(text: str, words: Iterable[Sequence[int]], table: Spellings) -> tuple[str, int]:
    """Replace those of the `words` (start, end) that `table` holds; return the new text and how many were replaced.

    `words` may be any superset of the true occurrences: each is looked up by its exact spelling and its boundaries are checked.
    """
    pieces: list[str] = []
    done = 0
    plain = text.isascii()  # no marks and no other hyphens: what was found is whole
    for start, end in words:
        old = text[start:end]
        new = table.get(old)
        if new is None or not (plain or _whole(text, start, end)):
            continue
        if isinstance(new, Choice):
            new = new.special if new.applies(text, start, end) else new.usual
        if new != old:
            pieces += text[done:start], new
            done = end
    if not pieces:
        return text, 0
    pieces.append(text[done:])
    return "".join(pieces), len(pieces) // 2


def _whole(text: str, start: int, end: int) -> bool:
    """Whether no letter, combining mark, soft hyphen or joined hyphen ties `text[start:end]` to a longer word."""
    before, after = text[max(start - 2, 0) : start], text[end : end + 2]
    return not (_continues(before[::-1]) or _continues(after))


def _continues(beside: str) -> bool:
    """Whether a word goes on in `beside`, the nearest character first."""
    if beside[:1] in _SEPARATORS:
        return False
    if beside[:1] in ("-", "‐", "‑"):
        beside = beside[1:]
    return beside != "" and (beside[0].isalnum() or beside[0] == "_" or category(beside[0]) in ("Mn", "Mc", "Me", "Cf"))
