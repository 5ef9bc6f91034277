"""Is `her` an object before what seems to be its noun? "Met her Monday", "made her sad", "heard her sing", "gave her hope".

The four ways in which a verb and `her` go on without an article, told by the classes of `resources/rewriting/word_classes.toml`.
"""

import re

from overtime.corpora.neighbours import REACH, WORD_CLASSES, Word, following_word

_LIST = re.compile(r",[^\S\n]")
_FEMININE = frozenset("she who woman women mother queen".split())
_PEOPLE = ("ss", "us", "is", "ers", "ors", "ists", "ants", "ians", "ees", "mates")  # plurals of people, and no plurals
_ABSTRACT = ("ness", "ment", "tion", "ence", "ance", "ship", "ism")


def tells_time(text: str, before: str, word: Word, second: Word, preposition: bool) -> bool:
    """ "Met her Monday", "saw her last week", "two years ago": a time, after an object."""
    third = following_word(text, second.end)
    if word.lower == "all":
        return (second.within("time_unit", "function") or second.lower == "along") and before not in WORD_CLASSES["all_giver"]
    if word.lower in ("one", "every"):
        return second.within("time_unit") or second.lower in ("along", "over")
    if word.is_number or word.within("time_unit"):
        unit = third if word.is_number else second
        if unit.lower in ("ago", "later", "earlier") or (second.lower == "times" and before != "of"):
            return True
    if preposition or before in WORD_CLASSES["spending"]:
        return False
    if (
        word.within("time_unit")
        and word.raw.endswith("s")
        and before in WORD_CLASSES["number_giver"] | WORD_CLASSES["pure_giver"]
    ):
        return True  # took her hours
    if word.lower in ("last", "next"):
        return second.within("time_unit") and second.lower not in ("day", "days") and third.ends_phrase
    ends = second.ends_phrase or (second.within("time_unit") and third.ends_phrase)
    return word.raw.istitle() and word.within("time_unit") and word.lower != "may" and ends


def is_complement(text: str, word: Word) -> bool:
    """ "Made her sad and angry", "left her devastated": adjectives and no noun."""
    for _ in range(3):
        ending = word.raw.endswith(tuple(WORD_CLASSES["adjective_endings"])) and not word.within("noun_in_ful")
        if not (word.within("adjective") or ending or word.is_verb_form or word.is_adverb):
            return False
        after = following_word(text, word.end)
        listed = _LIST.match(text, word.end)
        if listed:
            after = following_word(text, listed.end() - 1)
            if not after.within("adjective"):
                return True
        elif after.lower in ("and", "or", "but", "yet"):
            after = following_word(text, after.end)
            if not (after.within("adjective") or after.is_verb_form):
                return True
        elif after.ends_phrase or (after.is_adverb and after.lower != "home"):
            return True
        word = after
    return False


def is_subject(before: str, word: Word, second: Word) -> bool:
    """ "Heard her singing", "let her speak": the object is the subject of a verb without tense."""
    if word.raw.endswith("ing") and (before in WORD_CLASSES["perception"] or before == "with"):
        return second.ends_phrase or second.raw.endswith("ly") or (before != "with" and not word.within("noun_in_ing"))
    if before in ("let", "lets", "letting") and not word.within("owned") and second.within("function"):
        return True
    if before not in WORD_CLASSES["causative"] or not word.within("bare_verb"):
        return False
    if before.startswith("ma"):
        return not (word.within("made_noun") and second.ends_phrase)
    return not word.within("verb_or_noun") or not before.startswith(("ha", "fe"))


def receives(text: str, start: int, before: str, word: Word, second: Word) -> bool:
    """ "Gave her hope", "elected her president", "called her Mary": two things follow the verb, `her` and the noun."""
    if before in WORD_CLASSES["naming"] and word.within("role") and (second.ends_phrase or second.within("role")):
        return True
    if before in WORD_CLASSES["name_verb"] and (word.raw.istitle() or word.lower == "names"):
        return second.ends_phrase and not word.within("owned")
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
    abstract = word.raw.endswith(_ABSTRACT) and not _she_gives(text, start)
    plural = word.raw[-1] == "s" and word.raw.islower() and not word.raw.endswith(_PEOPLE) and not word.within("people")
    if word.within("given") or (plural and before not in WORD_CLASSES["buying"]):
        return True
    return before in WORD_CLASSES["strict_giver"] or (abstract and before in WORD_CLASSES["pure_giver"])


def is_passive(text: str, start: int) -> bool:
    """ "Was awarded her second medal": nobody else receives it."""
    words = text[max(0, start - REACH) : start].lower().split()[-3:-1]
    if text[max(0, start - REACH) : start].rstrip().endswith("ing"):
        return False
    if words and words[-1].endswith("ly"):
        words.pop()
    return words != [] and words[-1] in WORD_CLASSES["passive"]


def _she_gives(text: str, start: int) -> bool:
    """Whether a feminine subject stands closely before the verb: "she gave her life" is her own."""
    return not _FEMININE.isdisjoint(text[max(0, start - REACH) : start].lower().split()[-5:-1])
