"""Gendered nouns with a capital letter: part of a name, which stays, or a title or noun, which changes?

The rule, in this order:

1. In capitals throughout ("HE IS THE KING") a word is as in lower case; between lower-case words MR, MS, SIR, LAD and their like
   are symbols ("MR images").
2. A fixed name of `resources/rewriting/names.toml` stays (Burger King, King Lear), and so does a title in quotation marks, with
   its year ("The Quiet Man (1952)") or after its owner with a capital ("The Time Traveler's Wife").
3. In a headline, all of whose long words have capitals and one of which is a verb, a word is as in lower case.
4. After a capitalised word it stays (Stephen King, Iron Man, the film The Queen, Isle of Man), unless that word begins the
   sentence or leaves a title open (Crown Prince, French King, Admiral Prince Pavel).
5. Before a capitalised word a title changes (King Henry), unless a place or an organisation is named (King Street, King's
   College, Prince George Hospital) or a person's work ("Virginia Woolf's Mrs Dalloway"); any other noun stays (Boy George).
6. What is also a surname stays where it has no article and tells no role ("as sung by King", but "crowned King"), and at the
   beginning of a sentence where the text has named its bearer (Stephen King ... King wrote).
7. Anything else begins a sentence or is written large, and changes.
"""

import re
import tomllib

from overtime.corpora.fixed_phrases import in_phrase, phrases_by_word
from overtime.corpora.neighbours import REACH, WORD_CLASSES
from overtime.files import RESOURCES

_NAMES = RESOURCES / "rewriting" / "names.toml"
_SET = {name: frozenset(words.split()) for name, words in tomllib.loads(_NAMES.read_text("utf-8")).items()}
_FIXED = phrases_by_word([phrase.replace("_", " ") for phrase in _SET["fixed"]], names=True)
_SMALL = WORD_CLASSES["function"] | WORD_CLASSES["modifier"] | WORD_CLASSES["number"]
_NEXT = re.compile(r"\.?[^\S\n]+[*_\[\"“]{0,3}((?:[A-Z]\.)+|\w[\w'’-]*)")
_INITIALS = re.compile(r"(?:[A-Z]\.)+|(?:St|Jr|Dr|Mr|Mrs|Ms)\.")
_SENTENCE_END, _LETTERS = re.compile(r"[.!?\n]"), re.compile(r"[^\W\d_]+")
_LONG_LOWER = re.compile(r"(?<![\w'’])[^\W\d_A-Z][^\W\d_]{3}")  # a word of four letters that begins in lower case
_QUOTE = re.compile(r"""["“”]""")
_HEADLINE = 80  # characters on either side
_OF_THE = re.compile(r" of the [A-Z]\w*[^s\W](?!\w)")  # King of the Ring, but King of the Franks
_COMPOUND = re.compile(r"\w{3,}m[ae]n|\w{3,}wom[ae]n")  # "Congressman Lewis"
_OWNED = ("'s ", "’s ", "' ", "’ ")
_TITLE_ENDS = ("r", "s", "f")  # of Dr., Mrs., Prof.
_OWNER = re.compile(r"[A-Z]\w+['’]s $")  # "The Time Traveler's Wife", where a daughter of his would be small
_LINKS, _LINK = ("of", "in", "for"), re.compile(r"(?:['’]s?)?(?: (?:of|in|for))?")
_WORK_END = re.compile(
    r"(?:['’]s?)?(?:,?[^\S\n]+(?:[A-Z][\w.'’-]*|and|the|of|a|an|in|to|with|for|on|or)){0,6}"
    r"(?: \((?:1[5-9]|20)\d\d\)| (?:is|was) an? (?:1[5-9]|20)\d\d )"
)
# Hanyu Pinyin: a syllable, and two that are no English word by one of these letters.
_SYLLABLE = (
    r"(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?(?:iang|iong|uang|ang|eng|ing|ong|iao|ian|uai|uan|an|en|in|un|ai|ei|ao|ou|ia|ie|iu|ua|ui|uo"
    r"|ue|[aeiou])"
)
_PINYIN = re.compile(rf"{_SYLLABLE}|(?=\w*(?:zh|x|q|j|ai|ui|uo|iang|uang|iong|ong|ing|eng)){_SYLLABLE}{_SYLLABLE}", re.IGNORECASE)
_NEAR, _NAME_LENGTH = 80, 4  # characters to a year; words after a title that may make it the name of a place


def before_name(text: str, start: int, end: int) -> bool:
    """Whether a capitalised word follows the title `text[start:end]`: "Sir Isaac", "Ms. Lovelace", "LADY MACBETH"."""
    following = _NEXT.match(text, end)
    return text[start].isupper() and following is not None and following[1][0].isupper()


def is_chinese_name(text: str, start: int, end: int) -> bool:
    """Whether `He` or `She`, at `text[start:end]`, is a name: Zheng He, Lao She, He Jiankui, Professor He."""
    near = text[start - 2 : start - 1]
    if text[start - 1 : start] == " " and (near.isalnum() or (near == "." and text[start - 3 : start - 2] in _TITLE_ENDS)):
        before, initial = _before(text, start)
        if before.lower().rstrip(".") in _SET["before_surname"] and before[0].isupper():
            return True
        if before[:1].isupper() and before.lower() not in _SMALL and _PINYIN.fullmatch(before):
            return not (_is_open(before, initial) or _in_headline(text, start, end))
    after = _next(text, end) if text[end + 1 : end + 2].isupper() else ""
    if after.istitle() and after.lower() not in _SMALL and _PINYIN.fullmatch(after):
        further = text[end + 1 + len(after) : end + 3 + len(after)]
        return not (further[:1] == " " and further[1:2].isupper())
    return False


def is_common(text: str, start: int, end: int) -> bool:
    """Whether the noun `text[start:end]`, whose first letter is a capital, is a title or noun and no part of a name."""
    word = text[start:end].lower()
    before, initial = _before(text, start)
    after = _next(text, end)
    if text[start:end].isupper():
        return _in_capitals(text, word, before, after, end)
    near_capital, far_capital = before[:1].isupper(), after[:1].isupper()
    if in_phrase(text, end, word, _FIXED) or _names_dated_work(text, start, end):
        return False
    if word in _SET["always_titles"]:
        return not _names_work(text, start)
    if word not in _SET["titles"] and (
        after in _SET["particles"] or (not before and _OWNER.search(text, max(0, start - REACH), start))
    ):
        return _in_headline(text, start, end)
    if _in_quoted_title(text, start, end) or (word in _SET["titles"] and _OF_THE.match(text, end)):
        return False
    linked = near_capital and not _is_open(before, initial)
    if linked and far_capital and before.lower() in _SET["offices"]:
        linked = False  # "Rear Admiral Prince Pavel"
    if (linked or far_capital) and _in_headline(text, start, end):
        return word not in _SET["surnames"] or not linked
    if linked and before.lower().rstrip(".") not in _SET["titles"]:
        return False
    if far_capital and after.lower() not in _SMALL:
        return (
            (word in _SET["titles"] or _COMPOUND.fullmatch(word) is not None)
            and not _is_place(text, end)
            and not _names_work(text, start)
        )
    if (text.startswith(_OWNED, end) or after in _LINKS) and _is_place(text, end):
        return False  # King's College, Women's Tennis Association, Princess of Asturias Awards
    if before in ("of", "for", "&") and _next_before(text, start)[:1].isupper():
        return False
    return not _is_surname(text, word, before, after, start)


def _before(text: str, start: int) -> tuple[str, bool]:
    """The word before, and whether it begins its sentence; no word where a sentence or line ends in between."""
    plain = text[text.rfind(" ", max(0, start - REACH), start - 1) + 1 : start - 1] if start > REACH else ""
    if plain.islower() and plain.isalpha() and text[start - 1] == " ":
        return plain, False  # most of all words
    part = text[max(0, start - REACH) : start]
    if part[-1:] not in (" ", "\t", "\u00a0"):
        return "", False
    line = part[part.rfind("\n") + 1 :].split()
    word = line[-1].lstrip("\"'“‘*_([") if line else ""
    if word == "&":
        return word, False
    if not word or word.endswith(("'s", "’s")) or not (word[-1].isalnum() or _INITIALS.fullmatch(word)):
        return "", False
    if len(line) == 1:
        return word, "\n" in part or start <= REACH
    return word, not (line[-2][-1].isalnum() or line[-2][-1] in ",;'’&" or _INITIALS.fullmatch(line[-2]))


def _next(text: str, end: int) -> str:
    match = _NEXT.match(text, end)
    return match[1] if match else ""


def _next_before(text: str, start: int) -> str:
    words = text[max(0, start - 40) : start].split()
    return words[-2] if len(words) > 1 else ""


def _is_open(before: str, initial: bool) -> bool:
    """Whether a capitalised word before a title or noun is no part of a name."""
    lower = before.lower()
    return lower in _SET["open_adjectives"] or (initial and lower in _SMALL)


def _in_capitals(text: str, word: str, before: str, after: str, end: int) -> bool:
    near = [one for one in (before, after) if len(one) > 1 and one.isalpha()]
    if any(one.isupper() for one in near) and not (word in ("mr", "ms") and len(after) < 4 and text[end : end + 1] != "."):
        return True
    if word == "he":
        return after not in _SET["after_he"] and before.lower() not in WORD_CLASSES["preposition"]
    return word not in _SET["acronyms"] or not near


def _is_place(text: str, end: int) -> bool:
    """Whether the capitalised words that follow, past an apostrophe or a preposition, end in a street, a hospital or the like."""
    if link := _LINK.match(text, end):
        end = link.end()
    for place in range(_NAME_LENGTH):
        match = _NEXT.match(text, end)
        if match is None or not match[1][0].isupper() or (place and match[0][0] == "." and text[end - 2 : end] != "St"):
            return False
        if match[1].lower() in _SET["places"]:
            return True
        end = match.end()
    return False


def _names_work(text: str, start: int) -> bool:
    """Whether the possessive of a full name stands before: "Virginia Woolf's Mrs Dalloway"."""
    return re.search(r"[A-Z]\w+ [A-Z]\w+(?: ?['’]s) \Z", text[max(0, start - 50) : start]) is not None


def _names_dated_work(text: str, start: int, end: int) -> bool:
    """Whether a film or a book is named with its year: "Women in Love (1920)", "The King is a 2019 film"."""
    near = text[end : end + _NEAR]
    if not ("(1" in near or "(2" in near or " a 1" in near or " a 2" in near) or (match := _WORK_END.match(text, end)) is None:
        return False
    before, initial = _before(text, start)
    title = text[start:end].lower() in _SET["titles"]
    if before[:1].isupper() and not (title and _is_open(before, initial) and before not in ("The", "A", "An")):
        return True
    if title:
        return "'s " in match[0] or "’s " in match[0]
    return match[0].count(" ") > 1 and "(" in match[0]


def _in_quoted_title(text: str, start: int, end: int) -> bool:
    """Whether a song or a film in quotation marks is called so: two words or more, the long ones with capitals, no stop."""
    near = text[max(0, start - REACH) : start]
    if '"' not in near and "“" not in near:
        return False
    before, after = _QUOTE.split(near), _QUOTE.split(text[end : end + REACH])
    if len(before) < 2 or len(after) < 2 or (len(before) + near.count("”")) % 2:
        return False
    title = (before[-1] + text[start:end] + after[0]).strip()
    return " " in title and title[-1].isalnum() and title[0].isupper() and not _LONG_LOWER.search(title)


def _in_headline(text: str, start: int, end: int) -> bool:
    before = _SENTENCE_END.split(text[max(0, start - _HEADLINE) : start])[-1]
    if _LONG_LOWER.search(before):
        return False
    line = before + text[start:end] + _SENTENCE_END.split(text[end : end + _HEADLINE], maxsplit=1)[0]
    words = _LETTERS.findall(line)
    return (
        len(words) > 2
        and not _LONG_LOWER.search(line)
        and any(word[0].isupper() and word.lower() in _SET["headline"] for word in words)
    )


def _is_surname(text: str, word: str, before: str, after: str, start: int) -> bool:
    if word not in _SET["surnames"] or after == "of":
        return False
    if word.endswith("s") and after in ("is", "was", "has", "does"):
        return True  # Queens is a borough
    near = text[max(0, start - REACH) : start]
    last = [one.lower() for one in near.split()[-2:]]
    if after in ("and", "or"):
        return _is_named(text, start, word)
    if before == "":
        if not word.endswith("s") and after in ("are", "were", "have"):
            return True  # Queen are a band
        return near.rstrip().endswith(",") or _is_named(text, start, word)
    if last[-1] in WORD_CLASSES["determiner"] or last[-1] in _SET["open_adjectives"]:
        return False
    if last[0] in WORD_CLASSES["determiner"] and last[-1] in WORD_CLASSES["adjective"]:
        return False
    return last[-1] not in _SET["roles"] or _is_named(text, start, word)


def _is_named(text: str, start: int, word: str) -> bool:
    """Whether one of the last occurrences has a first name ("Stephen King") or stands like a name ("a loss to Duke")."""
    position = start
    for _ in range(3):
        position = text.rfind(f" {word.capitalize()}", max(0, start - 2000), position)
        if position < 0:
            return False
        before, initial = _before(text, position + 1)
        if before in WORD_CLASSES["preposition"]:
            return True
        if before[:1].isupper() and not _is_open(before, initial) and before.lower() not in _SET["titles"]:
            return True
    return False
