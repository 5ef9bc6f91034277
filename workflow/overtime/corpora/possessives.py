"""Does `his` or `her` have a noun after it ("her keys"), or does it stand alone ("saw her", "is his")?

English spells the object and the possessive of *she* alike, and the two possessives of *he* alike, so rewriting gender needs what
part-of-speech taggers call PRP against PRP$. The rules look at the words that follow and the one or two before, and ask which
class of `resources/rewriting/word_classes.toml` each belongs to. They never look further than a few words.
"""

import re

from overtime.corpora.neighbours import WORD_CLASSES, Word, after_adverbs, following_word, previous_word
from overtime.corpora.objects import is_complement, is_passive, is_subject, receives, tells_time

_PLAIN = re.compile(r" ([A-Za-z]+)(?![\w'’])")
# What may follow a `his` that has no noun.
_AFTER_HIS = (WORD_CLASSES["function"] | WORD_CLASSES["modifier"] | WORD_CLASSES["finite"]) - WORD_CLASSES["noun_or_adverb"]
_COORDINATE = re.compile(
    r"(?:his(?!\s*\w+\s+his\b)|her(?!\s*\w+\s+her\b))\s*(/|\b(?:or|and)\b)\s*(his|her|their|its|my|your|our)\b", re.IGNORECASE
)
_QUOTE = re.compile(r"""[^\S\n]["“‘`]""")
_NOUNS = ("home", "past", "best", "last", "first")  # rather than adverbs, after an adverb


def before_noun(text: str, start: int, end: int) -> bool:
    """Whether the possessive `text[start:end]` (his, her) is a determiner (PRP$), not an object or a possessive alone (PRP)."""
    plain = _PLAIN.match(text, end)
    if plain is not None and text[start + 1] not in "eE":
        word = plain[1]
        if word not in _AFTER_HIS and (word[-1] not in "dsy" or not (word[-2:] == "ly" or text[start - 3 : start] == "of ")):
            return True  # most of all occurrences
    following = following_word(text, end)
    if following.lower in ("", "or", "and") and (coordinate := _COORDINATE.match(text, start)):
        if coordinate[2].lower() != "his":
            # Alone it would be "his or hers"; but "saw her and my brother".
            return text[start + 1] in "iI" or text[start].isupper() or coordinate[1].lower() != "and"
        start, end = coordinate.span(2)
        following = following_word(text, end)
    if not following.raw:
        return False
    own = _his_owns if text[start:end].lower() == "his" else _her_owns
    return own(text, start, following)


def _his_owns(text: str, start: int, word: Word) -> bool:
    """As `before_noun` for `his` and a word that may end its phrase: "his alone", "a friend of his said", "his will"."""
    of = previous_word(text, start) == "of"
    if not (of or word.lower in _AFTER_HIS or word.is_adverb):
        return True
    second = following_word(text, word.end)
    if word.within("noun_too"):
        return not second.within("after_modal") or word.lower in ("being", "like")
    if word.within("noun_or_adverb"):
        return second.raw != "" or word.lower not in ("better", "well", "most", "least")
    if word.within("premodifier") or word.is_adverb:
        if second.lower == "than":
            return following_word(text, second.end).is_number
        noun = after_adverbs(text, second)
        if noun.is_verb_form and following_word(text, noun.end).ends_phrase:
            return False
        return noun.raw != "" and not noun.within("function")
    if word.within("function"):
        return False
    if of and word.raw.endswith("s") and second.within("object"):
        return False  # "that habit of his drives me mad"
    # "A friend of his called me": only where the phrase may end with `his`, and a verb form alone would be no noun.
    return not (of and word.is_verb_form and second.ends_phrase)


def _her_owns(text: str, start: int, word: Word) -> bool:
    """As `before_noun` for `her` and the word that follows it."""
    before, second = previous_word(text, start), following_word(text, word.end)
    if word.within("function", "premodifier", "noun_too") and not word.within("noun_or_adverb"):
        return _owns_function_word(text, before, word, second)
    if text[start].isupper() and not before[-1:].isalnum():
        return True  # at the beginning of a sentence `her` is no object
    if before in WORD_CLASSES["name_verb"] and _QUOTE.match(text, start + 3):
        return False  # called her "the best"
    preposition = before in WORD_CLASSES["preposition"]
    if tells_time(text, before, word, second, preposition):
        return False
    if word.is_number:
        return is_passive(text, start) or before not in WORD_CLASSES["number_giver"] | WORD_CLASSES["pure_giver"]
    if word.within("particle"):
        return preposition and not second.ends_phrase
    if word.within("noun_or_adverb"):
        if before in WORD_CLASSES["strict_giver"] and not is_passive(text, start):
            return False  # awarded her first prize
        return preposition or second.within("auxiliary") or _owns_place(text, before, word, second)
    if word.is_adverb:
        if preposition and word.within("late_or_early"):
            return True
        noun = second if second.lower in _NOUNS else after_adverbs(text, second)
        return noun.lower == "home" or not (noun.ends_phrase or is_complement(text, noun))
    if is_passive(text, start):
        return True
    return not (is_complement(text, word) or is_subject(before, word, second) or receives(text, start, before, word, second))


def _owns_function_word(text: str, before: str, word: Word, second: Word) -> bool:
    if word.lower == "like":
        return second.lower in ("", "again", "anywhere", "before")
    if word.lower == "one":
        return not second.ends_phrase
    if word.lower == "being":
        return before not in WORD_CLASSES["perception"] and before != "with"
    if word.within("noun_too"):
        return not second.within("after_modal", "determiner")
    if word.within("premodifier"):
        noun = after_adverbs(text, second)
        usual = before in WORD_CLASSES["preposition"] or word.lower in ("then", "once", "now", "every", "ever", "never", "most")
        return usual and not noun.ends_phrase and not (word.lower == "every" and second.within("time_unit"))
    return False


def _owns_place(text: str, before: str, word: Word, second: Word) -> bool:
    """Of back, past, home, first: noun ("hurt her back", "sold her home") or adverb ("want her back", "took her home")?"""
    if not (second.ends_phrase or (second.raw.endswith("ly") and word.lower != "family")):
        # "Walked her past Harrods", "took her home Sunday"
        return not (
            second.raw.istitle() and (word.lower == "past" or (word.lower == "home" and before in WORD_CLASSES["fetching"]))
        )
    if word.lower == "back":
        return before in WORD_CLASSES["turning"]
    if word.lower == "home":
        return before not in WORD_CLASSES["fetching"]
    if word.lower == "past":
        return not (second.within("determiner"))
    if word.lower in ("right", "left"):
        return before not in WORD_CLASSES["treating"] and not second.within("place_or_time")
    return before not in WORD_CLASSES["treating"] and word.lower not in ("well", "better", "north", "south", "east", "west")
