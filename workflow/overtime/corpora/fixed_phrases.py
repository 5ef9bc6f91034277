"""Fixed phrases that hold a gendered word and stay: King Lear, The Lord of the Rings, mother of pearl, no man's land."""

from collections.abc import Iterable, Mapping, Sequence

Phrases = Mapping[str, Sequence[tuple[str, str]]]  # word -> what stands before and after it in each of its phrases


def phrases_by_word(phrases: Iterable[str]) -> Phrases:
    """The phrases (in lower case, parts joined by spaces) by each of their words, without the ending of a possessive."""
    found: dict[str, list[tuple[str, str]]] = {}
    for phrase in phrases:
        place = 0
        for part in phrase.split(" "):
            word = part.partition("'")[0]
            found.setdefault(word, []).append((phrase[:place], phrase[place + len(word) :]))
            place += len(part) + 1
    return found


def in_phrase(text: str, start: int, end: int, phrases: Phrases, capitals: bool = False) -> bool:
    """Whether the word `text[start:end]` stands in one of its `phrases`, also in the plural or possessive.

    With `capitals`, what stands before it must begin with one, and some word after it too.
    """
    for before, after in phrases.get(text[start:end].lower(), ()):
        left, right = start - len(before), end + len(after)
        if left < 0 or text[left - 1 : left].isalnum() or not _ends(text, right):
            continue
        first, last = text[left:start], text[end:right]
        if (_plain(first), _plain(last)) != (before, after):
            continue
        if not capitals or (first[:1].isupper() or not first) and (not last or not last.islower()):
            return True
    return False


def _plain(text: str) -> str:
    return text.lower().replace("’", "'").replace("\u00a0", " ")


def _ends(text: str, end: int) -> bool:
    """Whether a word ends here, but for the s of a plural."""
    if text[end : end + 1] == "s":
        end += 1
    return not text[end : end + 1].isalnum()
