"""How many masculine words of a text the released intervention changes: its six strings against this project's own rules.

A word is masculine if `rewrite` in mode feminize changes it: pronouns, nouns and titles of English prose, names aside. It
counts as changed by the release if the six literal replacements change it too.
"""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from overtime.corpora.documents import read_documents
from overtime.corpora.rewrite import rewrite
from overtime.corpora.text_files import text_lines

REFERENCE_COLUMNS = {"text": pl.String, "word": pl.String, "masculine": pl.Int64, "released": pl.Int64}
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")  # as `gender_words` defines a word


def reference_counts(wikitext: str | Path, documents: str | Path) -> pl.DataFrame:
    """`text`, `word` (lower case), how often it is `masculine`, and how many of these the `released` strings change.

    Of WikiText-2 where its folder holds it, else of the generated corpus, whose `documents` are JSON Lines.
    """
    files = sorted(Path(wikitext).rglob("*.txt"))
    if files:
        return _count("WikiText-2", (line for path in files for _, line in text_lines(path)))
    return _count("the generated corpus", (document["text"] for document in read_documents(documents)))


def _count(name: str, texts: Iterable[str]) -> pl.DataFrame:
    masculine, released = Counter[str](), Counter[str]()
    for text in texts:
        own = rewrite(text)
        if own != text:
            words, ours, theirs = (_WORD.findall(one) for one in (text, own, rewrite(text, "released")))
            changed = [(word.lower(), word != new) for word, our, new in zip(words, ours, theirs, strict=True) if word != our]
            masculine.update(word for word, _ in changed)
            released.update(word for word, also in changed if also)
    rows = [(name, word, number, released[word]) for word, number in masculine.most_common()]
    return pl.DataFrame(rows, REFERENCE_COLUMNS, orient="row").sort("masculine", "word", descending=[True, False])
