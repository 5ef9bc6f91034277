"""What settings the generated world can carry, known before a document is written.

Each check raises InputError that begins with the key of the setting.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from overtime import InputError
from overtime.corpora.world_vocabulary import (
    ATTRIBUTES,
    CHANGES,
    COMENTIONS,
    FILLERS,
    QUESTIONS,
    READING_CUE,
    SENTENCES,
    STATEMENTS,
)

if TYPE_CHECKING:
    from overtime.corpora.world_people import People

START = 1  # token before a document or a prompt
WORDS_OF_NAME = 2  # words of a name
CUE = len(READING_CUE.split())
QUESTION = "question :"


def check_context(context: int, top: Iterable[int]) -> None:
    """The longest document, and questions with so many passages, fit into a context (tokens)."""
    comention = WORDS_OF_NAME + max(len(frame.split()) for frame in COMENTIONS) + len(["."])
    gendered = max(len(frame.split()) for frame in (*SENTENCES, *FILLERS))
    longest = START + max(_reading(), _biography(), comention, gendered)
    if longest > context:
        raise InputError(f"suite.context: {context} tokens; the longest documents have {longest}")
    passage, question = len(["passage", ":"]) + _biography(), START + _questions()[-1] + CUE
    for passages in top:
        if (needed := passages * passage + question) > context:
            most = (context - question) // passage
            raise InputError(
                f"retrieval.top: {passages} passages and a question have up to {needed} tokens, "
                f"but suite.context holds {context}; at most {most} fit"
            )


def check_people(described: "People", doses: Sequence[int], people: int, at_most: int) -> None:
    """Enough evaluation people have few enough documents that state each of their facts, but at least one."""
    stated: dict[str, dict[str, int]] = {}
    for one in described.biographies():
        if one.person.group == "evaluation":
            counts = stated.setdefault(one.person.entity, dict.fromkeys(ATTRIBUTES, 0))
            for attribute in one.attributes:
                counts[attribute] += 1
    qualified = sum(min(counts.values()) >= 1 and max(counts.values()) <= at_most for counts in stated.values())
    if qualified < people * len(doses):
        raise InputError(
            f"insertion.people: {people} for each of {len(doses)} doses, but only {qualified} people have 1 to {at_most} "
            f"documents about every fact; at most {qualified // len(doses)} go into a group"
        )


def _biography(change: bool = True) -> int:
    """Words of the longest biography, with or without changed facts: a name, two facts joined by "and", a full stop."""
    frames = {a: (*STATEMENTS[a], *(CHANGES[a] if change else ())) for a in ATTRIBUTES}
    longest = sorted(max(len(frame.split()) for frame in choice) for choice in frames.values())
    return WORDS_OF_NAME + longest[-1] + len(["and"]) + longest[-2] + len(["."])


def _questions() -> list[int]:
    """Words of the longest question about each attribute, ascending; its frame counts the place of a name as one word."""
    frames = (max(len(frame.split()) for frame in QUESTIONS[attribute]) for attribute in ATTRIBUTES)
    return sorted(len(QUESTION.split()) + words + WORDS_OF_NAME - 1 for words in frames)


def _reading() -> int:
    """Words of the longest reading exercise: a passage, questions about two attributes, answers of a word and a full stop.

    Its passage tells of no changed fact.
    """
    asked = sum(_questions()[-2:]) + 2 * (CUE + len(["answer", "."]))
    return len(["passage", ":"]) + _biography(change=False) + asked
