"""Interventions on a training corpus: rewriting the gender of English text.

`feminize` turns masculine pronouns, nouns and titles into feminine ones, `masculinize` the other way round, `swap` both at once;
`released` repeats the six literal replacements of the published Pythia branch, for comparison.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from overtime.corpora.documents import open_lines, parse_document, read_lines, replace_text
from overtime.corpora.gender_words import replace, spellings

# EleutherAI/gpt-neox, branch of the Pythia interventions: a space on both sides, nothing else.
RELEASED_REPLACEMENTS = {" he ": " she ", " him ": " her ", " his ": " her ", " He ": " She ", " Him ": " Her ", " His ": " Her "}
_WORD = re.compile(r"\w+(?:-\w+)*")


@dataclass(frozen=True)
class RewriteReport:
    """What `rewrite_file` did: documents read, documents changed, words replaced; and the bytes read, uncompressed."""

    documents: int
    changed: int
    replacements: int
    bytes: int = field(default=0, compare=False)


def rewrite(text: str, mode: str = "feminize") -> str:
    """Rewrite the gender of an English text.

    Modes: `feminize`, `masculinize`, `swap` and `released`. Whole words only, whatever the script around them; lower, Title and
    UPPER case are kept, and words in any other case are left alone. Raises InputError on an unknown mode.
    """
    if mode == "released":
        return _released(text)[0]
    return replace(text, (match.span() for match in _WORD.finditer(text)), spellings(mode))[0]


def rewrite_some(texts: list[str], mode: str, probability: float, seed: int) -> list[str]:
    """The texts in order, each rewritten with this probability."""
    chosen = np.random.default_rng(seed).random(len(texts)) < probability
    return [rewrite(text, mode) if chance else text for text, chance in zip(texts, chosen)]


def rewrite_file(source: str | Path, destination: str | Path, mode: str = "feminize") -> RewriteReport:
    """Rewrite the "text" of every document of a JSON Lines file (.jsonl, .jsonl.gz, .jsonl.zst), one line in memory at a time.

    Lines keep their order; other fields, and lines whose text does not change, keep their bytes. Equal to `rewrite` on every
    document, through a compiled word scanner. The destination appears whole or not at all. Raises InputError, naming file and
    line, on a truncated stream, invalid JSON or a "text" that is no string.
    """
    change = _released if mode == "released" else _compiled(mode)
    documents = changed = replacements = size = 0
    with open_lines(destination) as file:
        for number, line in enumerate(read_lines(source), 1):
            size += len(line) + 1
            if line.strip():
                text, count = change(parse_document(line, f"{source}, line {number}")["text"])
                documents += 1
                replacements += count
                if count:
                    changed += 1
                    line = replace_text(line, text)
            file.write(line + b"\n")
    return RewriteReport(documents, changed, replacements, size)


def _released(text: str) -> tuple[str, int]:
    count = 0
    for old, new in RELEASED_REPLACEMENTS.items():
        count += text.count(old)
        text = text.replace(old, new)
    return text, count


def _compiled(mode: str) -> Callable[[str], tuple[str, int]]:
    from overtime.corpora.word_scanner import WordScanner  # numba: half a second to import, so only for files

    table = spellings(mode)
    scanner = WordScanner(table)
    return lambda text: replace(text, scanner.find(text), table)
