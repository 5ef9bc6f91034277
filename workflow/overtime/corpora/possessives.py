"""Does `his` or `her` have a noun after it ("her keys"), or does it stand alone ("saw her", "is his")?

English spells the object and the possessive of *she* alike, and the two possessives of *he* alike, so rewriting gender needs what
part-of-speech taggers call PRP against PRP$. The rules look at the words that follow and the one or two before, and ask which
class of `resources/rewriting/word_classes.toml` each belongs to. They never look further than a few words.
"""

import re
from typing import NamedTuple

from overtime.corpora.neighbours import MARKUP, REACH, WORD_CLASSES, previous_word

_COORDINATE = re.compile(r"(?:his(?!\s*\w+\s+his\b)|her(?!\s*\w+\s+her\b))\s*(/|\b(?:or|and)\b)\s*(his|her|their|its|my|your|our)\b", re.I)
# An opening quote, bracket or currency sign may stand before a word; a paragraph break may not.
_OPENING = r"""(?:["“‘'(<$£€#]|\[{1,2})?[^\S\n]?"""
_WORD = r"(\d[\d.,]*\d\w*|\w+(?:[-'’]\w+)*)"
_FOLLOWING = re.compile(rf"(?:[^\S\n]?\])?[^\S\n]*(?:\n[^\S\n]*)?(?<=\s){_OPENING}{_WORD}")
_PLAIN = re.compile(r" ([A-Za-z]+)(?![\w'’])")
_BESIDE_MARKUP = re.compile(rf"{MARKUP}(?:\s|&nbsp;|&#160;){MARKUP}{_OPENING}[*_~]{{0,3}}(?:</?[a-z]+>)?{_WORD}")
_QUOTE = re.compile(r"""[^\S\n]["“‘`]""")
_LIST = re.compile(r",[^\S\n]")


class _Word(NamedTuple):
    raw: str
    end: int

    @property
    def lower(self) -> str:
        return self.raw.lower()

    def within(self, *names: str) -> bool:
        return any(self.lower in WORD_CLASSES[name] for name in names)


# What may follow a `his` that has no noun.
_AFTER_HIS = (WORD_CLASSES["function"] | WORD_CLASSES["modifier"] | WORD_CLASSES["finite"]) - WORD_CLASSES["noun_or_adverb"] - {"being", "like"}


def before_noun(text: str, start: int, end: int) -> bool:
    """Whether the possessive `text[start:end]` (his, her) is a determiner (PRP$), not an object or a possessive alone (PRP)."""
    plain = _PLAIN.match(text, end)
    if plain and plain[1] not in _AFTER_HIS and text[start + 1] in "iI":
        if plain[1][-2:] != "ly" and (plain[1][-1] not in "ds" or text[start - 3 : start] != "of "):
            return True  # most of all occurrences
    coordinate = _COORDINATE.match(text, start)
    if coordinate and coordinate[2].lower() != "his":
        # Alone it would be "his or hers"; but "saw her and my brother".
        return text[start + 1] in "iI" or text[start].isupper() or coordinate[1].lower() != "and"
    if coordinate:
        start, end = coordinate.span(2)
    following = _following(text, end)
    if not following.raw:
        return False
    own = _his_owns if text[start:end].lower() == "his" else _her_owns
    return own(text, start, following)


def _following(text: str, position: int) -> _Word:
    """The next word of the sentence, past markup; without letters where none follows."""
    match = _FOLLOWING.match(text, position) or (text[position : position + 1] in _MARKS and _BESIDE_MARKUP.match(text, position))
    return _Word(match[1], match.end()) if match else _Word("", position)


_MARKS = frozenset("}*_~<&\u00ad\u200b\u200c\u200d\u2060\ufeff")


def _ends(word: _Word) -> bool:
    """Whether no noun phrase goes on with this word."""
    return not word.raw or word.within("function", "modifier")


def _is_adverb(word: _Word) -> bool:
    return word.within("modifier") or (word.raw.endswith("ly") and not word.within("noun_in_ly"))


def _is_verb_form(word: _Word) -> bool:
    """A past tense or a participle, as far as the word alone tells."""
    return word.within("finite") or (word.raw.endswith("ed") and not word.within("noun_in_ed"))


def _after_adverbs(text: str, word: _Word) -> _Word:
    for _ in range(4):
        if not _is_adverb(word):
            break
        word = _following(text, word.end)
    return word


def _his_owns(text: str, start: int, word: _Word) -> bool:
    """As `before_noun` for `his` and a word that may end its phrase: "his alone", "a friend of his said", "his will"."""
    second = _following(text, word.end)
    if word.within("noun_too"):
        return not second.within("after_modal") or word.lower in ("being", "like")
    if word.within("noun_or_adverb"):
        return True
    if word.within("premodifier") or _is_adverb(word):
        if second.lower == "than":
            return _is_number(_following(text, second.end))
        noun = _after_adverbs(text, second)
        if _is_verb_form(noun) and _ends(_following(text, noun.end)):
            return False
        return noun.raw != "" and not noun.within("function")
    if word.within("function"):
        return False
    if previous_word(text, start) == "of" and word.raw.endswith("s") and second.within("object"):
        return False  # "that habit of his drives me mad"
    # "A friend of his called me": only where the phrase may end with `his`, and a verb form alone would be no noun.
    return not (_is_verb_form(word) and previous_word(text, start) == "of" and _ends(second))


def _is_number(word: _Word) -> bool:
    """A cardinal number; ordinals and decades ("12th", "20s") are adjectives and nouns."""
    return (word.raw[:1].isdigit() and word.raw[-1].isdigit()) or word.within("number")


def _her_owns(text: str, start: int, word: _Word) -> bool:
    """As `before_noun` for `her` and the word that follows it."""
    before, second = previous_word(text, start), _following(text, word.end)
    if word.within("function", "premodifier", "noun_too") and not word.within("noun_or_adverb"):
        return _owns_function_word(text, before, word, second)
    if text[start].isupper() and not before[-1:].isalnum():
        return True  # at the beginning of a sentence `her` is no object
    if before in WORD_CLASSES["name_verb"] and _QUOTE.match(text, start + 3):
        return False
    preposition = before in WORD_CLASSES["preposition"]
    if _tells_time(text, before, word, second, preposition):
        return False
    if _is_number(word):
        return before not in WORD_CLASSES["number_giver"] and before not in WORD_CLASSES["pure_giver"] or _is_passive(text, start)
    if word.within("particle"):
        return preposition and not _ends(second)
    if word.within("noun_or_adverb"):
        if before in WORD_CLASSES["pure_giver"] and not before.startswith(("giv", "gave", "off")) and not _is_passive(text, start):
            return False
        return preposition or second.within("auxiliary") or _owns_place(text, before, word, second)
    if _is_adverb(word):
        if preposition and word.within("late_or_early"):
            return True
        noun = second if second.lower in ("home", "past", "best", "last", "first") else _after_adverbs(text, second)
        return not _ends(noun) and not _is_complement(text, noun) or noun.lower == "home"
    return _is_passive(text, start) or not (_is_complement(text, word) or _is_subject(before, word, second) or _receives(text, start, before, word, second))


def _owns_function_word(text: str, before: str, word: _Word, second: _Word) -> bool:
    if word.lower == "like":
        return second.lower in ("", "again", "anywhere", "before")
    if word.lower == "one":
        return not _ends(second)
    if word.lower == "being":
        return before not in WORD_CLASSES["perception"] and before != "with"
    if word.within("noun_too"):
        return not second.within("after_modal", "determiner")
    if word.within("premodifier"):
        noun = _after_adverbs(text, second)
        usual = before in WORD_CLASSES["preposition"] or word.lower in ("then", "once", "now", "every", "ever", "never", "most")
        return usual and not _ends(noun) and not (word.lower == "every" and second.within("time_unit"))
    return False


def _tells_time(text: str, before: str, word: _Word, second: _Word, preposition: bool) -> bool:
    """ "Met her Monday", "saw her last week", "two years ago": a time, after an object."""
    third = _following(text, second.end)
    if word.lower == "all":
        return (second.within("time_unit", "function") or second.lower == "along") and not before.startswith(("gave", "giv", "did", "do"))
    if word.lower in ("one", "every"):
        return second.within("time_unit") or second.lower in ("along", "over")
    if _is_number(word) or word.within("time_unit"):
        unit = third if _is_number(word) else second
        if unit.lower in ("ago", "later", "earlier") or (second.lower == "times" and before != "of"):
            return True
    if preposition or before in WORD_CLASSES["spending"]:
        return False
    if word.lower in ("last", "next"):
        return second.within("time_unit") and second.lower not in ("day", "days") and _ends(third)
    ends = _ends(second) or (second.within("time_unit") and _ends(third))
    return word.raw.istitle() and word.within("time_unit") and word.lower != "may" and ends


def _owns_place(text: str, before: str, word: _Word, second: _Word) -> bool:
    """Words like back, past, home, first: noun ("hurt her back", "sold her home") or adverb ("want her back", "took her home")."""
    if not (_ends(second) or (second.raw.endswith("ly") and word.lower != "family")):
        return not (word.lower == "past" and second.raw.istitle()) and not (word.lower == "home" and before in FETCHING and second.raw.istitle())
    if word.lower == "back":
        return before in WORD_CLASSES["turning"]
    if word.lower == "home":
        return before not in FETCHING
    if word.lower == "past":
        return not (second.within("determiner"))
    if word.lower in ("right", "left"):
        return not (before in WORD_CLASSES["treating"] or second.lower in ("there", "here", "away", "now", "after", "before", "where"))
    return before not in WORD_CLASSES["treating"] and word.lower not in ("well", "better", "north", "south", "east", "west")


FETCHING = WORD_CLASSES["fetching"]


def _is_complement(text: str, word: _Word) -> bool:
    """ "Made her sad and angry", "left her devastated": adjectives and no noun."""
    for _ in range(3):
        ending = word.raw.endswith(tuple(WORD_CLASSES["adjective_endings"])) and not word.within("noun_in_ful")
        if not (word.within("adjective") or ending or _is_verb_form(word) or _is_adverb(word)):
            return False
        after = _following(text, word.end)
        listed = _LIST.match(text, word.end)
        if listed:
            after = _following(text, listed.end() - 1)
            if not after.within("adjective"):
                return True
        elif after.lower in ("and", "or", "but", "yet"):
            after = _following(text, after.end)
            if not (after.within("adjective") or _is_verb_form(after)):
                return True
        elif _ends(after) or (_is_adverb(after) and after.lower != "home"):
            return True
        word = after
    return False


def _is_subject(before: str, word: _Word, second: _Word) -> bool:
    """ "Heard her singing", "let her speak": the object is the subject of a verb without tense."""
    if word.raw.endswith("ing") and (before in WORD_CLASSES["perception"] or before == "with"):
        return _ends(second) or second.raw.endswith("ly") or (before != "with" and not word.within("noun_in_ing"))
    if before in ("let", "lets", "letting") and not word.within("owned") and second.within("function"):
        return True
    if before not in WORD_CLASSES["causative"] or not word.within("bare_verb"):
        return False
    if before.startswith(("ma", "mak")):
        return not word.within("made_noun")
    return not word.within("verb_or_noun") or not before.startswith(("ha", "fe"))


def _receives(text: str, start: int, before: str, word: _Word, second: _Word) -> bool:
    """ "Gave her hope", "elected her president", "called her Mary": two things follow the verb, `her` and the noun."""
    if before in WORD_CLASSES["naming"] and not before.startswith("call"):
        if word.within("role") and (_ends(second) or second.within("role")):
            return True
    if before in WORD_CLASSES["name_verb"] and (word.raw.istitle() or word.lower == "names"):
        return _ends(second) and not word.within("owned")
    if before not in WORD_CLASSES["giver"]:
        return False
    if word.within("given", "owned") and second.lower in ("to", "away", "up", "over"):
        return False
    if before in WORD_CLASSES["soft_giver"]:
        return word.within("softly_given")
    if before.startswith("ow") and " to " in text[word.end : word.end + REACH]:
        return False
    if word.within("given") and word.within("owned"):
        return not _she_gives(text, start)
    if word.within("owned"):
        return False
    abstract = word.raw.endswith(("ness", "ment", "tion", "ence", "ance", "ship", "ism")) and not _she_gives(text, start)
    plural = word.raw.endswith("s") and not word.raw.endswith(("ss", "us", "is", "ers", "ors", "ists", "ants", "ians", "ees", "mates"))
    things = not before.startswith(("pay", "pai", "buy", "bou"))
    anything = before in WORD_CLASSES["pure_giver"] and not before.startswith(("giv", "gave", "off"))
    return word.within("given") or (plural and things and word.raw.islower() and not word.within("people")) or anything or (
        abstract and before in WORD_CLASSES["pure_giver"]
    )


def _is_passive(text: str, start: int) -> bool:
    """ "Was awarded her second medal": nobody else receives it."""
    words = text[max(0, start - REACH) : start].lower().split()[-3:-1]
    if previous_word(text, start).endswith("ing"):
        return False
    return words != [] and (words[-1] in WORD_CLASSES["passive"] or (words[-1].endswith("ly") and words[0] in WORD_CLASSES["passive"]))


def _she_gives(text: str, start: int) -> bool:
    """Whether a feminine subject stands closely before the verb: "she gave her life" is her own."""
    return not {"she", "who", "woman", "women", "mother", "queen"}.isdisjoint(text[max(0, start - REACH) : start].lower().split()[-5:-1])
