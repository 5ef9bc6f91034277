"""Hyphenated compounds of gendered nouns: "great-great-grandfather", "father-to-be", "ten-man", "he-goat", "father-son"."""

from overtime.corpora.gender_words import Choice, Spellings

# A gendered first part changes before these: "women-led", "girl-next-door", "chairman-elect".
_AFTER_NOUN = frozenset(
    """
    to-be next-door led owned only dominated friendly run headed hating like oriented centric centred centered elect regent
    consort child figure at-arms about-town loving identified presenting heavy
    """.split()
)
_PRONOUNS = frozenset(("he", "she", "him", "his", "her", "hers"))
_NEVER = frozenset(("no-man", "straw-man", "mother-of-pearl"))


def compound(word: str, table: Spellings) -> str | None:
    """The replacement of a hyphenated word that `table` does not hold, in lower case, upper case or with a first capital.

    The last part changes where it is a noun ("vice-chairman"), the first where the rest only says what it is like, and both of
    two nouns ("husband-and-wife"). `man-made` and names (Spider-Man) stay.
    """
    if word.isupper():
        new = compound(word.lower(), table)
        return new and new.upper()
    if word[0].isupper() and word[1:].islower():
        new = compound(word[0].lower() + word[1:], table)
        return new and new[0].upper() + new[1:]
    if not word.islower() or word in _NEVER:
        return None
    parts = word.split("-")
    if parts[0] in ("he", "she") and len(parts) == 2 and parts[1] not in _PRONOUNS and len(parts[1]) > 2:
        return f"{_noun(parts[0], table)}-{parts[1]}" if parts[0] in table else None
    if _PRONOUNS.intersection(parts):
        return None
    first, last = _noun(parts[0], table), _noun(parts[-1], table)
    if last is not None:
        return "-".join([first or parts[0], *parts[1:-1], last])
    if first is not None and "-".join(parts[1:]) in _AFTER_NOUN:
        return "-".join([first, *parts[1:]])
    return None


def _noun(word: str, table: Spellings) -> str | None:
    new = table.get(word)
    while isinstance(new, Choice):
        new = new.usual
    return new
