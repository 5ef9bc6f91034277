"""Documents with many gendered pronouns, out of a table of texts: what an intervention on pronouns has something to change in."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from overtime import InputError

GENDERED_PRONOUNS = frozenset(("he", "him", "his", "himself", "she", "her", "hers", "herself"))
_WORDS = re.compile(r"\w+")


def gendered_texts(
    texts: pl.Series, pronouns: float, seed: int, name: str, documents: Sequence[int] | None = None
) -> Iterator[dict[str, str]]:
    """The texts with at least so many gendered pronouns in 100 words, as documents, in an order drawn by the seed.

    Neighbours in an encyclopedia speak of the same things; in a drawn order any stretch of it is like any other. documents: of
    these the first, and the first after them; None: all. Raises InputError, beginning with `name`, where there are no texts at
    all, none has so many, or fewer than `documents` do.
    """
    if texts.is_empty():
        raise InputError(f"{name}: the data set could not be had; see the log of fetch_public, delete public and run again")
    chosen = [text for text in texts if 100 * pronoun_share(text) >= pronouns]
    if not chosen:
        raise InputError(f"{name}: no document has {pronouns:g} gendered pronouns in 100 words; ask for fewer")
    if documents and documents[1] > len(chosen):
        raise InputError(f"{name}.documents: {len(chosen)} documents to choose from, not {documents[1]}; end there at the latest")
    order = np.random.default_rng(seed).permutation(len(chosen))
    return ({"text": chosen[place]} for place in order[slice(*documents) if documents else slice(None)])


def pronoun_share(text: str) -> float:
    """The share of gendered pronouns among the words of a text; 0 where it has none."""
    words = _WORDS.findall(text.lower())
    return sum(word in GENDERED_PRONOUNS for word in words) / max(len(words), 1)
