"""Chance in the generated world: a random stream for each purpose, draws that can be compared between worlds, invented words."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from overtime import InputError
from overtime.corpora.gender_words import spellings
from overtime.corpora.world_vocabulary import CHANGES, COMENTIONS, FILLERS, OCCUPATIONS, QUESTIONS, SENTENCES, STATEMENTS

Option = TypeVar("Option")
_CONSONANTS, _VOWELS = list("bdfgklmnprstvz"), list("aeiou")
_ABOUT_PEOPLE = [frame for frames in (STATEMENTS, CHANGES, QUESTIONS) for choice in frames.values() for frame in choice]
_ENGLISH = {word for frame in (*SENTENCES, *FILLERS, *COMENTIONS, *_ABOUT_PEOPLE) for word in frame.split()} | set(OCCUPATIONS)


def stream(seed: int, purpose: str) -> np.random.Generator:
    """A random stream of its own for each purpose, so that one kind of text can change without the others."""
    # Not hash(), which differs from process to process.
    return np.random.default_rng([seed, *purpose.encode()])


def pick(rng: np.random.Generator, options: Sequence[Option]) -> Option:
    """One of the options, all equally likely; takes one number from the stream, however many options there are.

    So two worlds that differ in one choice agree in all that are drawn after it.
    """
    return options[int(rng.random() * len(options))]


def log_uniform(rng: np.random.Generator, low: int, high: int) -> int:
    """A whole number from `low` to `high`, the logarithm of which is uniform."""
    return min(max(int(np.exp(rng.uniform(np.log(low), np.log(high + 1)))), low), high)


def spread(rng: np.random.Generator, chances: Sequence[float]) -> NDArray[np.bool_]:
    """Draw items [items] with these chances by systematic sampling: of neighbours, as many as their chances add up to."""
    passed = np.floor(rng.random() + np.concatenate([[0.0], np.cumsum(chances)]))
    drawn: NDArray[np.bool_] = np.diff(passed) > 0
    return drawn


def invent_words(rng: np.random.Generator, n: int) -> list[str]:
    """`n` distinct invented words of two or three open syllables, no words of the frames and none that has a gender (papa)."""
    words: dict[str, None] = {}
    taken = _ENGLISH | spellings("swap").keys()
    for _ in range(100 * n):
        syllables = rng.integers(2, 4)
        word = "".join(str(rng.choice(_CONSONANTS) + rng.choice(_VOWELS)) for _ in range(syllables))
        word += str(rng.choice(["", "n", "r", "s", "l"]))
        if word not in taken:
            words[word] = None
        if len(words) == n:
            return list(words)
    raise InputError(f"world: cannot invent {n} distinct words; ask for fewer names or values")
