"""What ways of rewriting do to the gendered words of texts at hand, and which of them the released intervention changes.

A word is masculine if `rewrite` in mode feminize changes it, feminine if masculinize does: pronouns, nouns and titles of English
prose, names aside. It counts as changed by the release if the six literal replacements change it too. Texts are counted whole:
nothing is sampled, and nothing is pooled.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from overtime.corpora.documents import read_documents
from overtime.corpora.gendered_documents import GENDERED_PRONOUNS
from overtime.corpora.replacement import Replacement, replaced
from overtime.corpora.rewrite import RELEASED_REPLACEMENTS, finder, rewrite
from overtime.corpora.text_files import text_lines
from overtime.files import read_table

REFERENCE_COLUMNS = {"text": pl.String, "word": pl.String, "masculine": pl.Int64, "released": pl.Int64}
TALLIED = ("documents", "touched", "words", "words_touched", "masculine", "feminine", "masculine_pronouns", "feminine_pronouns")
WAY_COLUMNS = dict.fromkeys(("text", "unit", "way"), pl.String) | dict.fromkeys(TALLIED, pl.Int64)
# Two-way augmentation rewrites half of the documents by chance: here it is every second one, so that nothing is drawn.
AS_WRITTEN, RELEASED, FEMINIZED = "as written", "released six strings", "masculine→feminine"
HALF_TWO_WAY, TWO_WAY = "two-way, every second document", "two-way, every document"

Texts = Mapping[str, tuple[str, Iterable[str]]]  # name -> what a document is called (in the plural), documents


def texts_at_hand(encyclopedia: str | Path, wikitext: str | Path, documents: str | Path) -> Texts:
    """A table of articles, a folder of text files (either may hold none), and the generated corpus as JSON Lines."""
    articles = read_table(encyclopedia)["text"].to_list()
    lines = (line for path in sorted(Path(wikitext).rglob("*.txt")) for _, line in text_lines(path))
    # WikiText has a paragraph in a line, and " = headings = ".
    paragraphs = (line for line in lines if line.strip() and not line.lstrip().startswith("= "))
    generated = (document["text"] for document in read_documents(documents))
    return {
        "the encyclopedia": ("summaries", articles),
        "WikiText-2": ("paragraphs", paragraphs),
        "the generated corpus": ("documents", generated),
    }


def reference_counts(texts: Texts) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Two tables of the texts that have documents, each text by itself.

    By word (lower case): how often it is `masculine`, and how many of these the `released` strings change. By way of rewriting:
    `documents`, of these `touched`; gendered `words` as written, of these `words_touched`; and the rewritten text's `masculine`
    and `feminine` words, and pronouns among them.
    """
    words, ways = [pl.DataFrame(schema=REFERENCE_COLUMNS)], []
    for name, (unit, documents) in texts.items():
        masculine, released, counts = _count(documents)
        rows = [(name, word, number, released[word]) for word, number in masculine.items()]
        table = pl.DataFrame(rows, REFERENCE_COLUMNS, orient="row")
        words.append(table.sort("masculine", "word", descending=[True, False]))
        ways += [(name, unit, way, *(of[column] for column in TALLIED)) for way, of in counts.items() if of["documents"]]
    return pl.concat(words), pl.DataFrame(ways, WAY_COLUMNS, orient="row")


def _count(documents: Iterable[str]) -> tuple[Counter[str], Counter[str], dict[str, Counter[str]]]:
    """Masculine words, those of them that the release changes, and `TALLIED` by way of rewriting."""
    masculine, released = Counter[str](), Counter[str]()
    counts = {way: Counter[str]() for way in (AS_WRITTEN, RELEASED, FEMINIZED, HALF_TWO_WAY, TWO_WAY)}
    for number, text in enumerate(documents):
        found = {mode: finder(mode)(text) or [] for mode in ("feminize", "masculinize", "swap")}
        places = _released_places(text)
        masculine.update(_words(text, found["feminize"]))
        changed = _words(text, [one for one in found["feminize"] if one[0] in places])
        released.update(changed)
        swapped = replaced(text, found["swap"]), len(found["swap"])
        rewritten = {
            AS_WRITTEN: (text, 0),
            RELEASED: (rewrite(text, "released") if places else text, len(changed)),
            FEMINIZED: (replaced(text, found["feminize"]), len(found["feminize"])),
            HALF_TWO_WAY: swapped if number % 2 else (text, 0),
            TWO_WAY: swapped,
        }
        words = len(found["feminize"]) + len(found["masculinize"])
        tallies = {new: _tally(new) for new, _ in rewritten.values()} if words else {text: {}}
        for way, (new, touched) in rewritten.items():
            counts[way].update(documents=1, touched=new != text, words=words, words_touched=touched, **tallies.get(new, {}))
    return masculine, released, counts


def _tally(text: str) -> dict[str, int]:
    tally: dict[str, int] = {}
    for gender, mode in (("masculine", "feminize"), ("feminine", "masculinize")):
        words = _words(text, finder(mode)(text) or [])
        tally |= {gender: len(words), f"{gender}_pronouns": sum(word in GENDERED_PRONOUNS for word in words)}
    return tally


def _words(text: str, found: Iterable[Replacement]) -> list[str]:
    return [text[start:end].lower() for start, end, _ in found]


def _released_places(text: str) -> set[int]:
    """Where the words start that the released strings change."""
    return {match.start() + 1 for old in RELEASED_REPLACEMENTS for match in re.finditer(old, text)}
