"""The words beside a word: what the rules of rewriting look at, within a few dozen characters, so that no text is slow."""

import re
import tomllib
from typing import NamedTuple

from overtime.files import RESOURCES

CLASSES = RESOURCES / "rewriting" / "word_classes.toml"
WORD_CLASSES = {name: frozenset(words.split()) for name, words in tomllib.loads(CLASSES.read_text("utf-8")).items()}
REACH = 40  # characters before a word

INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"  # soft hyphen, zero-width characters, marks of direction, BOM
# Emphasis, inline tags and invisible characters, which no sentence ends with. Possessive, so that nothing is tried twice.
_TAGS = "a|b|i|u|em|strong|span|mark|small|sub|sup|cite|q|s|del|ins|font"
_MARKUP = rf"(?:[}}*_~{INVISIBLE}]|</?(?:{_TAGS})\b[^<>\n]{{0,200}}+>){{0,8}}+"
_MARKUP_BEFORE = re.compile(rf"[*_~{INVISIBLE}]|<[^<>]*>")
_MARKUP_BEGINS = frozenset(f"}}*_~<&{INVISIBLE}")

# An opening quote, bracket or currency sign may stand before a word; a paragraph break may not.
_OPENING = r"""(?:["“‘'(<$£€#]|\[{1,2})?[^\S\n]?"""
_WORD = r"(\d[\d.,]{0,30}\d\w*|\w+(?:[-'’]\w+)*)"
_FOLLOWING = re.compile(rf"(?:[^\S\n]?\])?[^\S\n]{{0,20}}(?:\n[^\S\n]{{0,20}})?(?<=\s){_OPENING}{_WORD}")
_BESIDE_MARKUP = re.compile(rf"{_MARKUP}(?:\s|&nbsp;|&#160;){_MARKUP}{_OPENING}[*_~]{{0,3}}(?:</?[a-z]+>)?{_WORD}")


class Word(NamedTuple):
    """A word of a text as it is written, without letters where there is none, and where it ends."""

    raw: str
    end: int

    @property
    def lower(self) -> str:
        return self.raw.lower()

    def within(self, *names: str) -> bool:
        """Whether it belongs to one of these classes."""
        return any(self.lower in WORD_CLASSES[name] for name in names)

    @property
    def ends_phrase(self) -> bool:
        """Whether no noun phrase goes on with it."""
        return not self.raw or self.within("function", "modifier")

    @property
    def is_adverb(self) -> bool:
        return self.within("modifier") or (self.raw.endswith("ly") and not self.within("noun_in_ly"))

    @property
    def is_verb_form(self) -> bool:
        """A past tense or a participle, as far as the word alone tells."""
        return self.within("finite") or (self.raw.endswith("ed") and not self.within("noun_in_ed"))

    @property
    def is_number(self) -> bool:
        """A cardinal number; ordinals and decades ("12th", "20s") are adjectives and nouns."""
        return (self.raw[:1].isdigit() and self.raw[-1].isdigit()) or self.within("number")


def following_word(text: str, position: int) -> Word:
    """The next word of the sentence, past markup."""
    match = _FOLLOWING.match(text, position)
    if match is None and text[position : position + 1] in _MARKUP_BEGINS:
        match = _BESIDE_MARKUP.match(text, position)
    return Word(match[1], match.end()) if match else Word("", position)


def after_adverbs(text: str, word: Word) -> Word:
    """The word, or the first that is no adverb after it."""
    for _ in range(4):
        if not word.is_adverb:
            break
        word = following_word(text, word.end)
    return word


def previous_word(text: str, start: int) -> str:
    """The word before `start` in lower case with the punctuation that hangs on it; empty if there is none in the line."""
    before = text[max(0, start - REACH) : start]
    if not before or not before[-1].isspace():
        before = _MARKUP_BEFORE.sub("", before)
        if not before or not before[-1].isspace():
            return ""
    words = before.rsplit(None, 1)
    return words[-1].lower() if words else ""
