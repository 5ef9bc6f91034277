"""Words that look gendered and are not: "female socket", "queen bee", "mother tongue", "to man the pumps", `man ls`."""

import re
import tomllib

from overtime.corpora.fixed_phrases import in_phrase, phrases_by_word
from overtime.corpora.neighbours import WORD_CLASSES, previous_word
from overtime.files import RESOURCES

SENSES = RESOURCES / "rewriting" / "other_senses.toml"
_TABLE = tomllib.loads(SENSES.read_text("utf-8"))
_FOLLOWING = {word: frozenset(next_words.split()) for words, next_words in _TABLE["before"].items() for word in words.split("_")}
_POSSESSIVES = {word: frozenset(allowed.split()) for words, allowed in _TABLE["only_after"].items() for word in words.split("_")}
_PHRASES = phrases_by_word(phrase for line in _TABLE["phrases"].split("\n") if line for phrase in line.split("|"))
_VERBS = frozenset(_TABLE["verbs"].split())
AMBIGUOUS = frozenset(_FOLLOWING) | frozenset(_PHRASES) | frozenset(_POSSESSIVES) | _VERBS
_SISTERS = ("sister", "sisters", "brother", "brothers")
# "sister to Ginkgoales", "as a sister of the Zygnematophyceae", "sister to all other mosses"; but "sister of Gonzales".
_TAXON = re.compile(
    r"[^\S\n]+(?:(?:to|(?:to|of)[^\S\n]+the)[^\S\n]+[A-Z][a-z]+(?:ales|aceae|idae|inae|oidea|iformes|phyta|phytes?|phyceae|mycota"
    r"|mycetes|mycotina|morpha|ptera|poda|zoa|opsida)\b|to[^\S\n]+all[^\S\n]+other\b)"
)
_BEFORE_VERB = frozenset(_TABLE["before_verb"].split())
_BARE_VERBS = ("groom", "grooms", "husband", "man")  # also without an article behind
_NEXT = re.compile(r"[^\S\n]+([\w-]+)")
_EITHER = ("male", "female", "males", "females")  # "a male or female connector"
_MANUAL = re.compile(r"[^\S\n]+(?:-\w|[1-8](?:[^\S\n]|[.;,)]|\Z)|pages?\b)")
_COMMAND = re.compile(r"[^\S\n]+[\w.-]*\w(?:[;|`,.]|\s*\Z)")
_MANUAL_BEFORE = frozenset(_TABLE["before_manual"].split())
_ELEMENT = re.compile(
    r"[^\S\n]+(?:(?:atom|ion|nucle|isotop|laser|plasma|burning|abundance|gas|I{1,3}\b)|(?:and|or) (?:H|Ne|Ar|Li|N2|O2)\b)|-Ne\b"
)
_ELEMENT_BEFORE = frozenset(_TABLE["before_element"].split())


def in_other_sense(text: str, start: int, end: int) -> bool:
    """Whether the word `text[start:end]`, one of `AMBIGUOUS`, means no person here."""
    word = text[start:end].lower()
    senses, following = _FOLLOWING.get(word), _NEXT.match(text, end)
    if (
        senses
        and following
        and (following[1] in senses or (word in _EITHER and not senses.isdisjoint(_following_words(text, end))))
    ):
        return True
    if in_phrase(text, end, word, _PHRASES) or (word in _SISTERS and _TAXON.match(text, end)):
        return True
    if word in _POSSESSIVES:
        return previous_word(text, start) not in _POSSESSIVES[word]
    if word not in _VERBS:
        return False
    after = following[1] if following else ""
    article = after in WORD_CLASSES["determiner"]
    if not article and word not in _BARE_VERBS:
        return after == "it"
    before = previous_word(text, start)
    if word in ("groom", "grooms"):
        return article or before in _BEFORE_VERB or before in ("", "and")
    if word == "husband":
        return before == "to" and after.islower() and after not in WORD_CLASSES["function"]
    if word == "man" and text[start] == "m" and _is_command(text, before, end, after):
        return True
    return after == "it" or (article and before in _BEFORE_VERB)


def _following_words(text: str, end: int) -> list[str]:
    return re.split(r"[.,;:!?\n]", text[end : end + 40], maxsplit=1)[0].split()[:3]


def _is_command(text: str, before: str, end: int, after: str) -> bool:
    """The manual reader of Unix: "man ls; man 5 crontab". A sentence has no bare `man` in front."""
    clause = before == "" or before[-1] in ";|$`:" or before in _MANUAL_BEFORE
    if _MANUAL.match(text, end):
        return True
    alone = before in _MANUAL_BEFORE or _COMMAND.match(text, end) is not None
    return clause and alone and after not in WORD_CLASSES["function"] | WORD_CLASSES["modifier"] | {""}


def is_helium(text: str, start: int, end: int) -> bool:
    """Whether `He` is the element: "liquid He", "He atoms", "H and He"."""
    if _ELEMENT.match(text, end):
        return True
    if start == 0 or text[max(0, start - 2) : start] in (". ", "\n", '" ', "? ", "! "):
        return False
    before = previous_word(text, start)
    if before in _ELEMENT_BEFORE:
        return True
    return (
        before in ("and", "or", "h,")
        and re.search(r"\b(?:H|Ne|Ar|Li)[,]? (?:and |or )?\Z", text[max(0, start - 10) : start]) is not None
    )
