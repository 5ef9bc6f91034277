"""Where files from outside come from and go: a source that is out of reach, and paths that lead nowhere else."""

import re
import unicodedata
from urllib.parse import unquote

from overtime import InputError

PASSING = {408, 425, 429, *range(500, 600)}  # answers of a server that may be others later
NAME_BYTES = 255  # in the name of a file, at most


class UnreachableError(InputError):
    """A source cannot be reached now: no network, or a server that fails.

    Nothing is wrong with what was asked for, so what is optional may be left out. Whatever else is wrong with a source (it does
    not exist, it may not be read, its bytes are not those expected) is an ordinary InputError.
    """


def unsafe(path: str) -> str | None:
    """Why a relative path with slashes may lead out of its folder, on any system; None if it cannot."""
    parts = unquote(path).split("/")
    if any(part in ("", ".", "..") or part.startswith("~") for part in parts):
        return "every part of the path must be a name, not empty, . or .. or with a ~ before it"
    if any(unicodedata.category(character) == "Cc" or character == "\\" for character in unquote(path)):
        return "a backslash or a control character stands in the path"
    if any(re.match(r"[A-Za-z]:", part) for part in parts):
        return "a drive letter stands in the path"
    if any(len(part.encode(errors="replace")) > NAME_BYTES for part in parts):
        return f"a name in the path is longer than {NAME_BYTES} bytes"
    return None


def clash(path: str, taken: dict[str, str]) -> str | None:
    """Why a file cannot lie beside those in `taken`, to which it is added; None if it can.

    Names that differ only in case are one on some systems. `taken`: file or folder as some systems see it -> as it is written.
    """
    folded = unicodedata.normalize("NFC", path.casefold())
    folders = [folded[:end] + "/" for end, character in enumerate(folded) if character == "/"]
    for other in [folded, f"{folded}/", *(folder[:-1] for folder in folders)]:
        if other in taken:
            return f"a file {taken[other]}, beside which it cannot lie" if taken[other] != path else f"a file {path}"
    taken.update(dict.fromkeys([folded, *folders], path))
    return None
