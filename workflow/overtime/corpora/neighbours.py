"""The words beside a word: what the rules of rewriting look at, within a few dozen characters, so that no text is slow."""

import re
import tomllib

from overtime.files import RESOURCES

CLASSES = RESOURCES / "rewriting" / "word_classes.toml"
WORD_CLASSES = {name: frozenset(words.split()) for name, words in tomllib.loads(CLASSES.read_text("utf-8")).items()}
REACH = 40  # characters before a word

INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"  # soft hyphen, zero-width characters, marks of direction, BOM
# Emphasis, inline tags and invisible characters, which no sentence ends with. Possessive, so that nothing is tried twice.
MARKUP = rf"(?:[}}*_~{INVISIBLE}]|</?(?:a|b|i|u|em|strong|span|mark|small|sub|sup|cite|q|s|del|ins|font)\b[^<>\n]{{0,200}}+>){{0,8}}+"
_MARKUP_BEFORE = re.compile(rf"[*_~{INVISIBLE}]|<[^<>]*>")


def previous_word(text: str, start: int) -> str:
    """The word before `start` in lower case with the punctuation that hangs on it; empty if there is none in the line."""
    before = text[max(0, start - REACH) : start]
    if not before or not before[-1].isspace():
        before = _MARKUP_BEFORE.sub("", before)
        if not before or not before[-1].isspace():
            return ""
    words = before.rsplit(None, 1)
    return words[-1].lower() if words else ""
