"""Right answers as files give them: lists, single answers, numbers, and lists that are written out in a cell."""

import ast
import json
import math
import re
from contextlib import suppress

from overtime import InputError

WRITTEN_LISTS = ("['", '["')
UNSEPARATED = re.compile(r"['\"]\s+['\"]")


def answer_list(value: object, place: str) -> list[str]:
    """The answers in a value of a file, without blank ones (what a trailing separator leaves); none for null.

    A lone answer is a list of one, a number the text of it. Raises InputError, beginning with `place`, for anything else.
    """
    if isinstance(value, str) and value.lstrip().startswith(WRITTEN_LISTS):
        value = _read_list(value, place)
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [text for text in (_answer(one, place) for one in values) if visible(text)]


def checked_text(value: object, place: str, name: str) -> str:
    """A text that can be read and written. Raises InputError, beginning with `place`, for any other value."""
    if not isinstance(value, str) or not visible(_whole(value, place, name)):
        raise InputError(f"{place}: {name} is {json.dumps(value, default=repr)}; need a text")
    return value


def visible(text: str) -> bool:
    """Whether a text has a character to be seen: neither white space nor a control or format character."""
    return any(character.isprintable() and not character.isspace() for character in text)


def _answer(value: object, place: str) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return str(value)
    if not isinstance(value, str):
        raise InputError(f"{place}: answer {json.dumps(value, default=repr)} is no text; need a text or a list of texts")
    return _whole(value, place, "answer")


def _whole(text: str, place: str, name: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = text[error.start].encode("ascii", "backslashreplace").decode()
        raise InputError(f"{place}: {name} holds {half}, half of a character; write the whole one") from error
    return text


def _read_list(text: str, place: str) -> object:
    """A list as JSON or Python writes it; nothing in it is evaluated but literals."""
    # NumPy writes no commas, and Python joins such neighbours to one text.
    for read in (json.loads,) if UNSEPARATED.search(text) else (json.loads, ast.literal_eval):
        with suppress(ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            return read(text)
    raise InputError(f'{place}: {text[:60]} begins like a list of answers and is none; need ["one", "another"]')
