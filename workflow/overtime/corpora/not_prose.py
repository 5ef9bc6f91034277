"""What in a text is no English prose: code, formulas, tags, addresses, paths, handles. Words in it are left alone.

Two questions. `enclosures`: which stretches does the text itself mark as something else? `stands_free`: is a word with unusual
characters beside it (a slash, an equals sign, a zero-width space) a word of a sentence? Both look at most a few hundred
characters around, so that their time is linear whatever the text.
"""

import re
from collections.abc import Iterator
from unicodedata import category

from overtime.corpora.neighbours import INVISIBLE

# What opens and closes a stretch, and what must be in a text for a closer look.
_PAIRS = {
    "`": [("```", "```")],
    "</": [(f"<{name}", f"</{name}") for name in ("code", "pre", "script", "style", "kbd", "samp", "tt")],
    "<!--": [("<!--", "-->")],
    "\\": [(rf"\begin{{{name}", rf"\end{{{name}") for name in ("equation", "align", "verbatim", "lstlisting", "math")]
    + [(r"\(", r"\)"), (r"\[", r"\]")],
    "$$": [("$$", "$$")],
}
_PATTERNS = {
    "`": re.compile(r"(?<!`)(`{1,2})(?=[^\s`])[^`\n]{1,300}(?<=\S)\1(?!`)"),
    '="': re.compile(r"<[A-Za-z][\w:-]*\s[^<>]{0,2000}>"),
    "='": re.compile(r"<[A-Za-z][\w:-]*\s[^<>]{0,2000}>"),
}
_DOLLARS = re.compile(r"\$(?<![\w$\\].)(?=\S)([^$\n]{1,300}+)(?<=\S)\$(?![\w$])")
_FORMULA = re.compile(r"[=\\^_{}+<>]|\A[A-Za-z]\w*\Z")
# Without any of these in a text there are no enclosures; the scanner looks for them on its way.
SIGNS = re.compile(r"""[`\\$]|[<=][/!"']|(?:\A|\n)(?:[a-z_ \t#>$]|[A-Z]{2})""")
_CODE = (
    r"[ \t]*(?:def \w+\(|class \w+\s*[(:{]|import [\w.]+[ \t]*(?:[;,]|as |\n|\Z)|from [\w.]+ import |#include\b|>>> |\$ \w|sudo "
    r"|(?:public|private|static|void|int|const|let|var|function) \w+ *[=(]|(?:if|for|while) ?\([^\n]{0,200}\) ?\{"
    r"|return [^\s]*[;(]|(?:git|npm|pip|docker|curl|grep|ssh|python3?|make|cat|echo|tar|find) [^\n]{0,100} --?[a-z]"
    r"|(?:SELECT|INSERT|UPDATE|DELETE|CREATE) [^\n]{0,200}(?:FROM|INTO|SET|TABLE|VALUES) "
    r"|[A-Za-z_][\w.\[\]'\"]*[ \t]*[-+*/|&:]?=[ \t]*[^=\s])[^\n]*"
)
_FIRST_LINE, _LATER_LINE = re.compile(_CODE), re.compile("\n" + _CODE)

_MARKS = frozenset(("Mn", "Mc", "Me", "Cf"))
_HYPHENS = ("-", "‐", "‑")
_NEVER_BEFORE, _NEVER_AFTER = frozenset("@#=$%^|+&<`\\"), frozenset("@#=$%^|+{`\\")
_ENTITY = re.compile(r"&(?:#\d{1,6}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")
_PLURAL = re.compile(r"\((?:e?s|r?en|he|she|him|her|hers|his)\)")
_SENTENCE = re.compile(r"\.[A-Z][a-z]*[\s,]")
_COMMAND = re.compile(r"\\[A-Za-z]+\*?\{\Z")
_CHOICE = re.compile(r"\W*[A-Za-z]{2,}(?:/[A-Za-z]{2,}){1,3}\W*")
_TOKEN_END = re.compile(r"""[\s"'<>()\[\]{}“”]""")
_TOKEN = 100  # characters of a path or address on either side


def enclosures(text: str) -> list[tuple[int, int]]:
    """Stretches of code, formulas, comments and tags with attributes (start, end), in order of their starts."""
    found = [span for sign, pairs in _PAIRS.items() if sign in text for pair in pairs for span in _between(text, *pair)]
    for sign, pattern in _PATTERNS.items():
        if sign in text:
            found += [match.span() for match in pattern.finditer(text)]
    if "$" in text:
        found += [match.span() for match in _DOLLARS.finditer(text) if _FORMULA.search(match[1])]
    if first := _FIRST_LINE.match(text):
        found.append(first.span())
    # A line feed begins the pattern: the search passes from line to line.
    found += [match.span() for match in _LATER_LINE.finditer(text)]
    return sorted(found)


def _between(text: str, opening: str, closing: str) -> Iterator[tuple[int, int]]:
    end = 0
    while (start := text.find(opening, end)) >= 0:
        end = text.find(closing, start + len(opening)) + len(closing)
        if end < len(closing):
            return
        yield start, end


def stands_free(text: str, start: int, end: int) -> bool:
    """Whether `text[start:end]`, beside characters that may tie it to something, is a whole word of a sentence."""
    left, right = start, end
    while start - left < 8 and text[left - 1 : left] and text[left - 1] in INVISIBLE:
        left -= 1
    while right - end < 8 and text[right : right + 1] and text[right] in INVISIBLE:
        right += 1
    if (left, right) != (start, end) and _joined(text, start, end, left, right):
        return False
    return _free_before(text, left, right) and _free_after(text, left, right)


def _joined(text: str, start: int, end: int, left: int, right: int) -> bool:
    """Whether invisible characters other than the zero-width space, which separates words, tie letters to a word."""
    before, after = text[left - 1 : left], text[right : right + 1]
    return (before.isalnum() and "\u200b" not in text[left:start]) or (after.isalnum() and "\u200b" not in text[end:right])


def _continues(beside: str) -> bool:
    """Whether a word goes on in `beside`, the nearest character first."""
    if beside[:1] in _HYPHENS:
        beside = beside[1:]
    return beside != "" and (beside[0].isalnum() or beside[0] == "_" or category(beside[0]) in _MARKS)


def _free_before(text: str, start: int, end: int) -> bool:
    near, far = text[start - 1 : start], text[max(start - 2, 0) : max(start - 1, 0)]
    if near == "_":
        return not far.isalnum() and _closing_underscore(text, end)
    if near in _NEVER_BEFORE or (near not in INVISIBLE and _continues(near + far)):
        return False
    if near in ("(", "[", "'", "*", "~"):
        return not (far.isalnum() or far in ("_", ")") or (near == "~" and far != "~"))
    if near == ".":
        return far == "." or (far.isalnum() and text[start].isupper() and text[start + 1 : end].islower())
    if near == "-":
        return far != "-" or text[start].isupper() or text[max(start - 3, 0) : start - 2].isalnum()
    if near == ">":
        return far not in ("-", "=")
    if near == "{":
        return _COMMAND.search(text[max(0, start - 20) : start]) is not None
    if near == ":":
        return far.isalnum() and text[end : end + 1] != ":"
    return near != "/" or _is_choice(text, start, end)


def _free_after(text: str, start: int, end: int) -> bool:
    near, far = text[end : end + 1], text[end + 1 : end + 2]
    if near == "_":
        opening = text[max(0, start - 200) : start].rfind("_")
        return not far.isalnum() and opening >= 0 and not text[max(0, start - 200) + opening + 1].isspace()
    if near in _NEVER_AFTER or (near not in INVISIBLE and _continues(near + far)):
        return False
    if near == "&":
        return _ENTITY.match(text, end) is not None
    if near == ".":
        title = text[start:end] in ("Mr", "Mrs", "Ms", "Messrs")
        return title or not far.isalnum() or _SENTENCE.match(text, end) is not None
    if near == "(":
        return _PLURAL.match(text, end) is not None
    if near == "[":
        return far.isdigit()
    if near in ("-", ":"):
        return far not in (">", ":", "/")
    return near != "/" or _is_choice(text, start, end)


def _closing_underscore(text: str, end: int) -> bool:
    closing = text.find("_", end, end + 200)
    return closing >= 0 and not text[closing - 1].isspace() and not text[closing + 1 : closing + 2].isalnum()


def _is_choice(text: str, start: int, end: int) -> bool:
    """Whether a slash beside the word offers a choice ("he/she"), no address or path."""
    before, after = text[max(0, start - _TOKEN) : start], text[end : end + _TOKEN]
    token = _TOKEN_END.split(before)[-1] + text[start:end] + _TOKEN_END.split(after, maxsplit=1)[0]
    return _CHOICE.fullmatch(token) is not None
