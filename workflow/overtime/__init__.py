"""Overtime: interpretability over time, from training data to figures and verdicts.

Every module stands alone: none imports Snakemake, and figures and claims read tables, never models.
"""

import os
import re
from typing import Literal
from urllib.parse import unquote

__version__ = "0.1.0"

# The ways of rewriting text by gender, one list for settings, paths, labels and the rewriting itself; see corpora.rewrite.
Rewriting = Literal["feminize", "masculinize", "swap", "released"]
# What stands in for documents of the training data: of the project's own questions, and of those from the encyclopedia.
FREQUENCY = "occurrences of the rarer name in a billion words (wordfreq), a popularity proxy"
ARTICLE_COUNT = "articles of an encyclopedia sample that name subject and answer, a proxy"
# Counts too few for a logarithmic axis, by what is counted: the least count of each bin.
FEW_COUNTS = {ARTICLE_COUNT: (0, 2, 4)}


# Of an address: user and password, what follows a question mark or a hash, and what follows the words of an Authorization.
_USER = re.compile(r"(?<=://)[^\s/'\"<>]*@|(?<=://)[^\s/@'\"<>]+:[^\s@'\"<>]+@")
_QUERY = re.compile(r"(://[^\s?#'\"<>]*[?#]|/[^\s?#'\"<>]*\?(?=[\w.~%+-]+=))[^\s'\"<>]*[\w=%&+/-]")
_HEADER = re.compile(r"\b(bearer|basic)\s+(?=\S*[\d=])[\w.~+/=-]{6,}", re.IGNORECASE)
_SECRET_NAMES = re.compile(r"(TOKEN|PASSWORD|PASSWD|SECRET|CREDENTIALS|API_?KEY|ACCESS_?KEY(_ID)?)$", re.IGNORECASE)
_SHORTEST = 6  # characters of a token or password that is looked for by itself: shorter ones stand in ordinary words


def without_secrets(text: str) -> str:
    """The text with *** for passwords and queries of addresses, for Authorization headers and for the secrets of the environment:
    tokens and passwords by the names of their variables, and users and passwords of proxies and package indexes."""
    for secret in sorted(_environment_secrets(), key=len, reverse=True):
        text = text.replace(secret, "***")
    text = _QUERY.sub(r"\1***", _USER.sub("***@", text))
    return _HEADER.sub(r"\1 ***", text)


def _environment_secrets() -> set[str]:
    secrets = {value for name, value in os.environ.items() if _SECRET_NAMES.search(name)}
    for value in os.environ.values():
        for address in value.split():
            user = address.partition("://")[2].rpartition("@")[0]
            if ":" in user or "/" not in user:
                password = user.partition(":")[2]
                # What a parser that stops at a slash takes for a host is a part of it.
                secrets |= {user, password, unquote(user), unquote(password), *user.split("/")}
    return {secret for secret in secrets if len(secret) >= _SHORTEST}


class InputError(ValueError):
    """Something outside the code is wrong: a file, a setting, a row.

    The message is one line that names the place and says what would be right, without secrets; a pipeline step prints it without
    a traceback.
    """

    def __init__(self, message: str) -> None:
        super().__init__(without_secrets(message))
