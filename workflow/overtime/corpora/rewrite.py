"""Interventions on a training corpus: rewriting the gender of English text.

`feminize` turns masculine pronouns, nouns and titles into feminine ones, `masculinize` the other way round, `swap` both at once;
`released` repeats the six literal replacements of the published Pythia branch, for comparison.
"""

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from itertools import repeat
from pathlib import Path

import numpy as np

from overtime.corpora.documents import open_lines, parse_document, read_lines, replace_text
from overtime.corpora.gender_words import MADAM, Spellings, spellings
from overtime.corpora.languages import ENGLISH, FOREIGN, Counts, is_english
from overtime.corpora.not_prose import SIGNS
from overtime.corpora.replacement import Replacement, replaced, replacements

# EleutherAI/gpt-neox, branch of the Pythia interventions: a space on both sides, nothing else.
RELEASED_REPLACEMENTS = {" he ": " she ", " him ": " her ", " his ": " her ", " He ": " She ", " Him ": " Her ", " His ": " Her "}
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


@dataclass(frozen=True)
class RewriteReport:
    """What `rewrite_file` did: documents read, changed, words replaced, documents passed through as not English; bytes read.

    Bytes are of the uncompressed file.
    """

    documents: int
    changed: int
    replacements: int
    not_english: int = 0
    bytes: int = field(default=0, compare=False)


def rewrite(text: str, mode: str = "feminize") -> str:
    """Rewrite the gender of an English text.

    Modes: `feminize`, `masculinize`, `swap` and `released`. Whole words of prose only, whatever the script around them; lower,
    Title and UPPER case are kept, and words in any other case are left alone. Code, addresses and formulas (`not_prose`), names
    (`names`) and other languages (`languages`) stay. Raises InputError on an unknown mode.
    """
    if mode == "released":
        return _released(text)[0]
    table = spellings(mode)
    return _rewritten(text, _changes(text, *_plain_find(text, table), table))[0]


def rewrite_some(texts: list[str], mode: str, share: float, cells: Sequence[Hashable], seed: Sequence[int]) -> list[str]:
    """The texts in order, of each cell (those alike in `cells`) this share rewritten; chance rounds it and chooses which."""
    rng = np.random.default_rng(seed)
    members: dict[Hashable, list[int]] = {}
    for place, cell in enumerate(cells):
        members.setdefault(cell, []).append(place)
    chosen: set[int] = set()
    for places in members.values():
        chosen.update(rng.permutation(places)[: int(share * len(places) + rng.random())].tolist())
    return [rewrite(text, mode) if place in chosen else text for place, text in enumerate(texts)]


def draw_share(share: float, seed: Sequence[int]) -> Iterator[bool]:
    """Which documents of an endless row are chosen: of every block of neighbours exactly this share, chance says which.

    A block is as short as it can be, two documents for one half; a share is taken as a fraction of at most 1,000 parts.
    """
    part, rng = Fraction(share).limit_denominator(1000), np.random.default_rng(seed)
    while True:
        yield from (rng.permutation(part.denominator) < part.numerator).tolist()


def rewrite_file(
    source: str | Path, destination: str | Path, mode: str = "feminize", chosen: Iterator[bool] | None = None
) -> RewriteReport:
    """Rewrite the "text" of every document of a JSON Lines file, plain, .gz or .zst, one line in memory at a time.

    Lines keep their order; other fields, and lines whose text does not change, keep their bytes. Equal to `rewrite` on every
    document, through a compiled word scanner. `chosen` says of each document in turn whether it is rewritten (None: all are).
    The destination appears whole or not at all. Raises InputError, naming file and line, on a truncated stream, invalid JSON or
    a "text" that is no string.
    """
    find = None if mode == "released" else finder(mode)
    documents = changed = replacements = not_english = size = 0
    whether = chosen or repeat(True)
    with open_lines(destination) as file:
        for number, line in enumerate(read_lines(source), 1):
            size += len(line) + 1
            if line.strip():
                text = parse_document(line, f"{source}, line {number}")["text"]
                if next(whether):
                    text, count = _released(text) if find is None else _rewritten(text, find(text))
                else:
                    count = 0
                documents += 1
                if count is None:
                    not_english += 1
                elif count:
                    replacements += count
                    changed += 1
                    line = replace_text(line, text)
            file.write(line + b"\n")
    return RewriteReport(documents, changed, replacements, not_english, size)


def _released(text: str) -> tuple[str, int]:
    count = 0
    for old, new in RELEASED_REPLACEMENTS.items():
        count += text.count(old)
        text = text.replace(old, new)
    return text, count


def _changes(text: str, spans: list[list[int]], holds: Counts, table: Spellings) -> list[Replacement] | None:
    """What is replaced; None for a text that is not in English."""
    return replacements(text, spans, holds, table) if is_english(text, holds) else None


def _rewritten(text: str, found: list[Replacement] | None) -> tuple[str, int | None]:
    """The new text and the number of words replaced."""
    return (text, None) if found is None else (replaced(text, found), len(found))


def _plain_find(text: str, table: Spellings) -> tuple[list[list[int]], Counts]:
    """What `WordScanner.find` finds, slowly and without numba, which takes half a second to import."""
    spans, words, english = [], 0, 0
    foreign: list[int] = []
    for match in _WORD.finditer(text.encode("latin-1", "replace").decode("latin-1")):
        word = match[0]
        words += 1
        english += word in ENGLISH
        foreign += [match.start()] if word in FOREIGN else []
        if word in table or word in MADAM or any(part in table for part in word.split("-")):
            spans.append([*match.span()])
    first, last = (foreign[0], foreign[-1]) if foreign else (-1, 0)
    return spans, Counts(words, english, len(foreign), first, last, SIGNS.search(text) is not None)


@cache
def finder(mode: str) -> Callable[[str], list[Replacement] | None]:
    """What tells of a text which words `rewrite` replaces in this mode, quickly: start, end, replacement; None if not English.

    Takes a second to come, for its word scanner is compiled.
    """
    from overtime.corpora.word_scanner import WordScanner  # numba: half a second to import, so only for many texts

    table = spellings(mode)
    scanner = WordScanner([*table, *MADAM], ENGLISH, FOREIGN)
    return lambda text: _changes(text, *scanner.find(text), table)
