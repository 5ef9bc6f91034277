"""Is an answer right? SQuAD's normalisation and exact match; and does a passage hold the answer?"""

import re
import string
from collections.abc import Sequence

from overtime.corpora.text_files import visible
from overtime.facts.words import split_words

ARTICLES = re.compile(r"\b(a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalize(text: str) -> str:
    """SQuAD's answer normalisation (Rajpurkar et al. 2016): lower case, no ASCII punctuation, no articles, white space folded."""
    return _without_articles(text.lower().translate(PUNCTUATION))


def exact_match(prediction: str, answers: Sequence[str]) -> bool:
    """Whether the normalised prediction equals any normalised answer; False without answers, and for an empty prediction.

    Of a text that normalises to nothing ("A+", "The The", "---") nothing is left out but case and outer white space.
    """
    return visible(prediction) and _comparable(prediction) in {_comparable(answer) for answer in answers}


def passage_forms(passages: Sequence[str]) -> list[str]:
    """What `answer_forms` are looked for in, one string for each passage: a passage holds an answer if one of them is in it."""
    # With punctuation taken out, so that U.S. is us, and as a bound of words, so that Obama is in Obama's.
    forms = zip(map(normalize, passages), _joined(passages), map(_raw, passages))
    return [f" {squad} \n {words} \n{raw}" for squad, words, raw in forms]


def answer_forms(answers: Sequence[str]) -> set[str]:
    """How each answer may stand in a passage: as whole words, or as it is written where it has none that count."""
    words = {form for pair in zip(map(normalize, answers), _joined(answers)) for form in pair if form}
    return {f" {form} " for form in words} | {_raw(answer) for answer in answers if not normalize(answer)}


def _comparable(text: str) -> str:
    return normalize(text) or _raw(text)


def _raw(text: str) -> str:
    return " ".join(text.lower().split())


def _joined(texts: Sequence[str]) -> list[str]:
    return [_without_articles(" ".join(words)) for words in split_words(texts)]


def _without_articles(text: str) -> str:
    return " ".join(ARTICLES.sub(" ", text).split())
