"""Right answers as files give them: lists, single answers, numbers, and lists that are written out in a cell."""

import ast
import json
import math
import re
from contextlib import suppress

from overtime import InputError
from overtime.corpora.text_files import checked_text, visible

WRITTEN_LISTS = ("['", '["')
UNSEPARATED = re.compile(r"['\"]\s+['\"]")


def answer_list(value: object, place: str) -> list[str]:
    """The answers in a value of a file, without blank ones (what a trailing separator leaves); none for null.

    A lone answer is a list of one, a number the text of it. Raises InputError, beginning with `place`, for anything else.
    """
    if isinstance(value, str) and value.lstrip().startswith(WRITTEN_LISTS):
        value = _read_list(value, place)
    values = value if isinstance(value, list) else [] if value is None else [value]
    texts = [str(one) if _is_number(one) else one for one in values]
    return [checked_text(text, place, "answer") for text in texts if not isinstance(text, str) or visible(text)]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _read_list(text: str, place: str) -> object:
    """A list as JSON or Python writes it; nothing in it is evaluated but literals."""
    # NumPy writes no commas, and Python joins such neighbours to one text.
    for read in (json.loads,) if UNSEPARATED.search(text) else (json.loads, ast.literal_eval):
        with suppress(ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            return read(text)
    raise InputError(f'{place}: {text[:60]} begins like a list of answers and is none; need ["one", "another"]')
