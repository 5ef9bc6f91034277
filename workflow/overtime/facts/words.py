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
UNBROKEN = rf"[{UNSPACED}]{{2,}}"
TAIL = r"(\w)['’ʼ]\p{Latin}\b"  # the letter of a possessive or contraction (Ada's, don't) is no word


def split_words(texts: Sequence[str], pairs: bool = False) -> list[list[str]]:
    """The words of each text, in order.

    pairs: after them all pairs of neighbouring characters in unspaced scripts, which are nearest to words without a dictionary.
    """
    folded = pl.Series(texts, dtype=pl.String).str.normalize("NFKC").str.to_lowercase().str.replace_all(TAIL, "$1")
    words: list[list[str]] = folded.str.extract_all(WORD).to_list()
    if pairs:
        for text, runs in zip(words, folded.str.extract_all(UNBROKEN).to_list()):
            text += [left + right for run in runs for left, right in pairwise(run)]
    return words
