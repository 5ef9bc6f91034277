"""Families of questions: what an article of an encyclopedia must say for a question to be asked about it.

The table of families, and how it is read, is `resources/facts/families.toml`.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from overtime.corpora.counting import countries
from overtime.corpora.entity_names import label
from overtime.files import RESOURCES

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
QUALIFIER = re.compile(r" \([^()]*\)$")
SURNAME = re.compile(r"[^\W\d_]\S*(?<![IVX.])$")
CORE = "core"
PERSONS = ("person", "inventor")


class Article(NamedTuple):
    """What an article says: its first sentence is the beginning of its `text`."""

    title: str
    topic: str
    description: str
    sentence: str
    text: str


class Asked(NamedTuple):
    """A question with all names of what it is about, all right answers, and those of them that are names of the answer alone.

    The usual name is the first. `statements` are the fact in other words.
    """

    text: str
    subject: list[str]
    answers: list[str]
    names: list[str]
    statements: list[str]


@dataclass(frozen=True)
class QuestionFamily:
    """A row of the table."""

    name: str
    question: str
    subject: str
    answer: str
    topics: tuple[str, ...] = ()
    title: str = "thing"
    description: str | None = None
    sentence: str | None = None
    text: str | None = None
    endings: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    set: str = CORE

    def ask(self, article: Article) -> Asked | None:
        """The question about an article; None for another topic, and where a pattern or a confirmation is not found."""
        if self.topics and article.topic not in self.topics:
            return None
        found = {"title": short_title(article.title, self.title)}
        for source in ("description", "sentence", "text"):
            if (pattern := getattr(self, source)) is not None:
                search = re.fullmatch if source == "description" else re.search
                if (match := search(self._filled(pattern, found), getattr(article, source))) is None:
                    return None
                found |= match.groupdict()
        subject, names = (self._names(name, found[name]) for name in (self.subject, self.answer))
        accepted = [*names, *(other for name in names for other in _table()["accepted"].get(name, []))]
        right = [*accepted, *(f"{name} {ending}" for ending in self.endings for name in accepted)]
        words = _worded(found, article) | {"answer": names[0]}
        stated = [statement.format(**words) for statement in self.statements]
        stated = [statement[0].upper() + statement[1:] for statement in stated]
        return Asked(self.question.format(**words), subject, [*dict.fromkeys(_folded(right))], names, stated)

    def _names(self, name: str, value: str) -> list[str]:
        return names_of_kind(self.title if name == "title" else name, value)

    def _filled(self, pattern: str, found: dict[str, str]) -> str:
        """A regular expression in which placeholders are groups, or what they have found already by any of its names."""

        def filled(placeholder: re.Match[str]) -> str:
            name = placeholder[1]
            if name not in found:
                return f"(?P<{name}>{_form(name)})"
            return rf"\b(?:{_any_of([*self._names(name, found[name]), found[name], *_adjectives(name, found[name])])})(?!\w)"

        return PLACEHOLDER.sub(filled, pattern)


def short_title(title: str, kind: str) -> str:
    """A title without what only tells it from others: a qualifier in brackets, where a place is, that a language is one."""
    plain = QUALIFIER.sub("", title)
    return plain.partition(", ")[0] if kind == "place" else plain.removesuffix(" language") if kind == "language" else plain


def names_of_kind(kind: str, value: str) -> list[str]:
    """The names of what stands in a text as `value`: the usual one, what else it is called, and a person's last name."""
    known = _word(kind, value)
    names = known if isinstance(known, list) else [value]
    names = [*dict.fromkeys([*names, *(other for name in names for other in _table()["also"].get(name, []))])]
    words = value.split()
    if kind in PERSONS and len(words) > 1 and not {"the", "of"} & set(words) and SURNAME.match(words[-1]):
        particles = next(place for place in range(len(words), 0, -1) if not words[place - 2].islower())
        names += [" ".join(words[place:]) for place in dict.fromkeys((particles - 1, len(words) - 1)) if place]
    return names


def _word(kind: str, value: str) -> str | list[str] | None:
    """What the table says of a word, which may begin a sentence."""
    words: dict[str, str | list[str]] = _table()["words"].get(kind, {})
    return words.get(value, words.get(_lower(value)))


def _lower(value: str) -> str:
    return value[:1].lower() + value[1:]


def _folded(names: list[str]) -> Iterator[str]:
    """Names with those of them without accents after them."""
    yield from names
    for name in names:
        yield "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign))


def _worded(found: dict[str, str], article: Article) -> dict[str, str]:
    """What questions are worded with: all that was found, also with its article (`the_`), and in lower case (`stated_`)."""
    values: dict[str, str] = {}
    for name, stands in found.items():
        value = known[0] if isinstance(known := _word(name, stands), list) else stands
        quoted = re.escape(value)
        article_stands = re.search(rf"\b[Tt]he {quoted}(?![\w–-]| [^\W\da-zß-ÿ])", f"{article.description}\n{article.text}")
        lower = _lower(value)
        values |= {f"the_{name}": f"the {value}" if article_stands else value}
        values |= {f"stated_{name}": lower if re.search(rf"\b{re.escape(lower)}\b", article.text) else value, name: value}
    for name, value in found.items():
        if isinstance(wording := _word(name, value), str):
            values[name] = wording.format(**values)
    return values


@cache
def _form(name: str) -> str:
    table = _table()
    if name in table["forms"]:
        return str(table["forms"][name])
    words = table["words"][name]
    return rf"\b(?:{_any_of({*words, *(word[0].upper() + word[1:] for word in words)})})(?!\w)"


def _any_of(names: Iterable[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


def _adjectives(name: str, value: str) -> list[str]:
    """What the people of a country are called, which confirms it."""
    people: dict[str, list[str]] = _table()["words"]["people"]
    countries_named = set(names_of_kind(name, value))
    return [adjective for adjective, names in people.items() if countries_named & set(names)] if name == "country" else []


@cache
def _table() -> dict[str, Any]:
    table = tomllib.loads((RESOURCES / "facts/families.toml").read_text(encoding="utf-8"))
    listed = {label(country).removeprefix("The ") for country in countries()}
    table["words"]["country"] |= {name: [name] for name in listed}
    return table


@cache
def families() -> tuple[QuestionFamily, ...]:
    """All families of the table, in its order."""
    lists = ("topics", "endings", "statements")
    return tuple(QuestionFamily(**{**row, **{name: tuple(row.get(name, ())) for name in lists}}) for row in _table()["family"])
