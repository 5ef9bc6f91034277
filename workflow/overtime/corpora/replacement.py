"""Replacing gendered words in a text: those found by the scanner, in sentences, in English.

`words` may be any superset of the true occurrences: each is looked up by its exact spelling, and only then what stands around it.
"""

from collections.abc import Iterable, Sequence

from overtime.corpora.compounds import compound
from overtime.corpora.gender_words import MADAM, Choice, Spellings
from overtime.corpora.languages import Counts, in_foreign_clause, reach
from overtime.corpora.not_prose import enclosures, stands_free

# The usual neighbours of a word, for speed; none at all at either end of the text.
_BEFORE = frozenset(("", *' \n\t"“”‘—–;,!?…'))
_AFTER = frozenset(("", *" \n\t,;!?'\"“”’—–…)"))
_AM = ("'am", "’am")  # ma'am

Replacement = tuple[int, int, str]  # start and end of a word, and what takes its place


def replacements(text: str, words: Iterable[Sequence[int]], holds: Counts, table: Spellings) -> list[Replacement]:
    """Which of the `words` (start, end) that `table` holds are replaced in a text, and by what, in their order."""
    found: list[Replacement] = []
    foreign = reach(holds)
    closed = enclosures(text)[::-1] if holds.signs else []
    for start, end in words:
        old = text[start:end]
        new = table.get(old)
        if new is None:
            end, new = _unusual(text, start, end, old, table)
            if new is None:
                continue
        if not (text[start - 1 : start] in _BEFORE and text[end : end + 1] in _AFTER) and not stands_free(text, start, end):
            continue
        while isinstance(new, Choice):
            new = new.special if new.applies(text, start, end) else new.usual
        if new == old or (start in foreign and in_foreign_clause(text, start, end)):
            continue
        if closed:
            while closed and closed[-1][1] <= start:
                closed.pop()
            if closed and closed[-1][0] < end:
                continue
        found.append((start, end, new))
    return found


def replaced(text: str, found: Sequence[Replacement]) -> str:
    """The text with its `replacements` made."""
    if not found:
        return text
    pieces: list[str] = []
    done = 0
    for start, end, new in found:
        pieces += text[done:start], new
        done = end
    pieces.append(text[done:])
    return "".join(pieces)


def _unusual(text: str, start: int, end: int, old: str, table: Spellings) -> tuple[int, str | Choice | None]:
    """End and replacement of a hyphenated compound or of ma'am, in which the scanner sees two words."""
    if "-" in old:
        return end, compound(old, table)
    if old in MADAM and text[end : end + 3].lower() in _AM:
        return end + 3, table.get(f"{old}'{text[end + 1 : end + 3]}")
    return end, None
