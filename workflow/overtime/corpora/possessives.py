"""Does `his` or `her` have a noun after it ("her keys"), or does it stand alone ("saw her", "is his")?

English spells the object and the possessive of *she* alike, and the two possessives of *he* alike, so rewriting gender needs what
part-of-speech taggers call PRP against PRP$. The rules look at the two words that follow and the one before, and ask which class
of `resources/word_classes.toml` each belongs to.
"""

import re
import tomllib

from overtime.files import RESOURCES

CLASSES = RESOURCES / "word_classes.toml"
_CLASS = {name: frozenset(words.split()) for name, words in tomllib.loads(CLASSES.read_text("utf-8")).items()}
_ENDS_PHRASE = _CLASS["function"] | _CLASS["modifier"]

# An opening quote, bracket or currency sign may stand before a word; a paragraph break may not.
_FOLLOWING = re.compile(r"""[^\S\n]*(?:\n[^\S\n]*)?(?<=\s)(?:["“‘'(\[<$£€#][^\S\n]?)?(\w+(?:[-'’]\w+)*)""")
_COORDINATE = re.compile(r"(his|her)(?:\s*/\s*|\s+(?:or|and)\s+)(?!\1\b)(his|her|their|its|my|your|our)\b", re.IGNORECASE)
_NAME = re.compile(r"\.?[^\S\n]+(\w)")
_PRECEDING = re.compile(r"(\w+)\s+\Z")


def before_noun(text: str, start: int, end: int) -> bool:
    """Whether the possessive `text[start:end]` (his, her) is a determiner (PRP$), not an object or a possessive alone (PRP)."""
    following = _FOLLOWING.match(text, end)
    word = following[1].lower() if following else ""
    if following is None or word in _CLASS["function"]:
        other = _COORDINATE.match(text, start)
        return other is not None and before_noun(text, *other.span(2))
    if text[start:end].lower() == "his":
        return True
    if word in _CLASS["modifier"] or (word.endswith("ly") and word not in _CLASS["noun_in_ly"]):
        after = _FOLLOWING.match(text, following.end())
        return after is not None and after[1].lower() not in _ENDS_PHRASE
    # Any verb of the classes is shorter; a search from the start would go through all the text before.
    preceding = _PRECEDING.search(text, max(0, start - 30), start)
    verb = preceding[1].lower() if preceding else ""
    return verb not in _CLASS["giver"] and not (verb in _CLASS["causative"] and word in _CLASS["bare_verb"])


def before_name(text: str, start: int, end: int) -> bool:
    """Whether a capitalised word follows the title `text[start:end]`: "Sir Isaac", "Ms. Lovelace", "LADY MACBETH"."""
    following = _NAME.match(text, end)
    return text[start].isupper() and following is not None and following[1].isupper()
