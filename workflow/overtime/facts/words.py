"""Words of texts in any script, as they are searched for and compared.

A word is a run of letters, digits, underscores and the marks on them (polars' Unicode classes), of one character or more, in
lower case and in Unicode's compatibility form. Scripts that are written without spaces give a word for every character, since
where their words end takes a dictionary.
"""

from collections.abc import Sequence
from itertools import pairwise

import polars as pl

UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}ー\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
WORD = rf"[{UNSPACED}]|[\w--[{UNSPACED}]]+"
TAIL = r"(\w)['’ʼ]\p{Latin}\b"  # the letter of a possessive or contraction (Ada's, don't) is no word


def split_words(texts: Sequence[str]) -> list[list[str]]:
    """The words of each text, in order."""
    return _folded(texts).str.extract_all(WORD).to_list()


def neighbours(texts: Sequence[str]) -> list[list[str]]:
    """Pairs of neighbouring characters of unspaced scripts in each text: what is nearest to their words without a dictionary."""
    runs = _folded(texts).str.extract_all(rf"[{UNSPACED}]{{2,}}").to_list()
    return [[left + right for run in text for left, right in pairwise(run)] for text in runs]


def _folded(texts: Sequence[str]) -> pl.Series:
    folded = pl.Series(texts, dtype=pl.String).str.normalize("NFKC").str.to_lowercase()
    return folded.str.replace_all(TAIL, "$1")
