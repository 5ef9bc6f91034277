"""Fixed phrases that hold a gendered word and stay: King Lear, The Lord of the Rings, mother of pearl, no man's land."""

import re
from collections.abc import Iterable, Mapping

Phrases = Mapping[str, re.Pattern[str]]  # word -> what matches behind it where it stands in one of its phrases

_SMALL = ("a", "and", "de", "in", "no", "of", "the", "with")
_BEGIN, _END = r"(?<![^\W_])", r"s?(?![^\W_])"  # an s of the plural may follow
_SPELLINGS = {"'": "['’]", " ": "[ \u00a0]"}


def phrases_by_word(phrases: Iterable[str], names: bool = False) -> Phrases:
    """The phrases (in lower case, parts joined by spaces) by each of their words, without the ending of a possessive.

    Of `names`, the word before and the first longer word behind begin with a capital; any case will do elsewhere.
    """
    found: dict[str, list[str]] = {}
    for phrase in phrases:
        place = 0
        for part in phrase.split(" "):
            word = part.partition("'")[0]
            before, after = phrase[:place], phrase[place + len(word) :]
            behind = f"(?<={_BEGIN}{_spelled(before, names)}{_spelled(word)})" if before else ""
            found.setdefault(word, []).append(behind + _spelled(after, names) + _END)
            place += len(part) + 1
    return {word: re.compile("|".join(patterns)) for word, patterns in found.items()}


def in_phrase(text: str, end: int, word: str, phrases: Phrases) -> bool:
    """Whether the `word` (in lower case) that ends at `end` stands in one of its `phrases`, also in the plural or possessive."""
    pattern = phrases.get(word)
    return pattern is not None and pattern.match(text, end) is not None


def _spelled(part: str, capital: bool = False) -> str:
    """A pattern for a part of a phrase, whose first longer word begins with a capital if `capital`."""
    words = part.split(" ")
    large = next((word for word in words if word and word not in _SMALL and not word.startswith("'")), None) if capital else None
    letters = []
    for word in words:
        first = word[:1].upper() if word == large else "".join(sorted({word[:1].lower(), word[:1].upper()}))
        large = None if word == large else large
        rest = "".join(_SPELLINGS.get(letter) or f"[{letter.lower()}{letter.upper()}]" for letter in word[1:])
        letters.append((_SPELLINGS.get(first) or f"[{first}]") + rest if word else "")
    return _SPELLINGS[" "].join(letters)
