"""What spellings of a name have in common, and where a name ends in running text.

A line break, a no-break space, a curly apostrophe or a soft hyphen make no other name. Chinese, Japanese, Thai, Lao, Khmer and
Burmese are written without spaces between words: there a name is found wherever it stands, also inside a longer word. Korean
sets particles directly behind a name, so there only what comes before it bounds it.
"""

import re
import unicodedata

import numpy as np

# Plain spelling -> characters that are written in its place (Unicode 16: White_Space, Dash, Quotation_Mark, modifier letters).
_BREAKS = "\t\n\v\f\r"
_APART = {
    " ": "\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000",
    "'": "´ʹʻʼ‘’‛′ꞌ＇",
    '"': "“”‟″＂",
    "-": "‐‑‒–−﹣－",  # hyphens, figure and en dash, minus
    # Invisible: soft hyphen, zero-width spaces and joiners, marks of direction, variation selectors.
    "": "\xad\u034f\u061c\u200b\u200c\u200d\u200e\u200f\u2060\u2066\u2067\u2068\u2069\ufeff"
    + "".join(map(chr, [*range(0x202A, 0x202F), *range(0xFE00, 0xFE10)])),
}
_WRAPPED = re.compile(r"-[ \t]*\r?\n\s*")  # a line broken behind a hyphen
SPACE_RUN = re.compile("  +")
# CJK and kana with their marks, Thai and Lao, Burmese, Khmer, Tai scripts, Javanese.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\u2e80-\u2fdf\u3005-\u3007\u3021-\u312f\u31a0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua980-\ua9ff\uaa60-\uaa7f\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_HANGUL = "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"
_SPLIT = re.compile(f" (?<=[{_UNSPACED}] )(?=[{_UNSPACED}])")  # begins with a plain character, which is searched for quickly


def plain(text: str) -> str:
    """The spelling by which names are compared, of a name or of a text.

    Any white space is one space, and none between letters of scripts without spaces and behind a hyphen at a line's end;
    apostrophes, quotes and hyphens are those of ASCII, invisible characters are left out, and letters and accents are composed
    (NFC). Half of a surrogate pair is a question mark. White space at either end may go.
    """
    if text.isascii() and not ("-" in text or "`" in text):
        return " ".join(text.split())  # as quick as can be: there may be millions of names
    return SPACE_RUN.sub(" ", nearly_plain(text))


def nearly_plain(text: str) -> str:
    """As `plain`, but for spaces that follow each other: they are seldom, and looking for them takes as long as all the rest."""
    if text.isascii():
        return _spaced(text)
    text = unicodedata.normalize("NFC", text)
    try:
        codes = np.frombuffer(text.encode(), np.uint8)
    except UnicodeEncodeError:
        return nearly_plain(text.encode("utf-8", "replace").decode())
    beyond = codes[codes >= 0x80]  # in UTF-8, all characters beyond ASCII and nothing else
    characters = beyond.tobytes().decode()
    for character, variants in _APART.items():
        for variant in variants:
            if variant in characters:
                text = text.replace(variant, character)
    text = _spaced(text)
    # The first byte of letters from U+0800 on; that of punctuation is 0xE2.
    return _SPLIT.sub("", SPACE_RUN.sub(" ", text)) if np.count_nonzero((beyond >= 0xE0) & (beyond != 0xE2)) else text


def _spaced(text: str) -> str:
    if "-" in text:
        text = _WRAPPED.sub("-", text)
    for character in _BREAKS:
        text = text.replace(character, " ")
    return text.replace("`", "'")


class _Joined(dict[str, bool]):
    """Whether a character goes on with the word that a name begins or ends with, by the two as they stand: asked for every
    mention, so that answers are kept."""

    def __init__(self, neighbour: int, unspaced: str) -> None:
        """`neighbour`: which of the two is not the name's."""
        self._neighbour, self._unspaced = neighbour, re.compile(f"[{unspaced}]")

    def __missing__(self, pair: str) -> bool:
        character = pair[self._neighbour]
        mark = unicodedata.category(character).startswith("M")
        in_word = mark or character.isalnum() or character == "_"
        # A combining mark belongs to what it follows in every script.
        self[pair] = (mark and self._neighbour == 1) or (in_word and not self._unspaced.search(pair))
        return self[pair]


JOINED_BEFORE = _Joined(0, _UNSPACED)
JOINED_AFTER = _Joined(1, _UNSPACED + _HANGUL)
# By bytes of UTF-8: false for what never goes on with a word, which is most of what stands beside names.
MAY_JOIN = [code >= 0x80 or chr(code).isalnum() or chr(code) == "_" for code in range(256)]
