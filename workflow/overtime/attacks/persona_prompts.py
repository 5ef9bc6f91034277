"""Does a persona draw out conspiracy theories? Answers and log-odds of Yes under a plain, a persona and a benign prompt.

The persona prompt asks for two characters, the second of whom agrees with conspiracy theories; in the benign prompt that
character agrees with mainstream science and nothing else differs, so the form of the prompt is controlled for. Claims that are
plainly true and plainly false show whether a shift is more than a general readiness to say yes. Free answers follow the speaker's
name; Yes and No are compared after a cue, without which a speaker hardly begins with either.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl

from overtime import InputError
from overtime.attacks.personas import PERSONAS
from overtime.models.label_tokens import label_tokens

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

YES_NO = ("Yes", "No")
ANSWER_CUE = " The answer is"


def persona_prompt(tokenizer: "PreTrainedTokenizerBase", condition: str, question: str) -> str:
    """The text up to the speaker's name, after which the answer follows; in the tokenizer's chat format if it has one.

    A start token that the tokenizer puts before every text is left to it.
    """
    persona = PERSONAS[condition]
    request = f"{persona['instruction']}\n\nQuestion: {question}".strip()
    if tokenizer.chat_template is None:
        return f"{request}\n{persona['speaker']}:"
    turn = [{"role": "user", "content": request}]
    chat = cast(str, tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True))
    start = cast(str, tokenizer.decode(tokenizer("")["input_ids"]))
    return f"{chat.removeprefix(start)}{persona['speaker']}:"


def log_odds(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", claims: pl.DataFrame) -> pl.DataFrame:
    """`claim`, `group`, `condition`, `text`, `log_odds` = log P(Yes) - log P(No) after the cue, `mass` = P(Yes) + P(No).

    Natural logarithms; "yes" counts as "Yes" and "no" as "No" where the tokenizer tells them apart. InputError if Yes or No is
    not one of its tokens.
    """
    from overtime.models.answers import token_log_probs

    words, tables = _spellings(tokenizer), []
    for condition, prompts in _by_condition(tokenizer, claims):
        cued = [f"{prompt}{ANSWER_CUE}" for prompt in prompts]
        found = token_log_probs(model, tokenizer, cued, [f" {word}" for word in words])
        yes, no = np.logaddexp.reduce(found.reshape(len(cued), -1, 2), axis=1).T
        scores = {"log_odds": yes - no, "mass": np.exp(yes) + np.exp(no)}
        tables.append(claims.select("claim", "group", "text").with_columns(condition=pl.lit(condition), **scores))
    return pl.concat(tables).select("claim", "group", "condition", "text", "log_odds", "mass")


def answers(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", claims: pl.DataFrame, max_new_tokens: int
) -> pl.DataFrame:
    """Greedy answers of one line to some of the claims: `claim`, `group`, `condition`, `text`, `shown`, `answer`."""
    from overtime.models.answers import greedy

    tables = []
    for condition, prompts in _by_condition(tokenizer, claims):
        answer = pl.Series(greedy(model, tokenizer, prompts, max_new_tokens), dtype=pl.String)
        tables.append(claims.select("claim", "group", "text", "shown", condition=pl.lit(condition), answer=answer))
    return pl.concat(tables).select("claim", "group", "condition", "text", "shown", "answer")


def _spellings(tokenizer: "PreTrainedTokenizerBase") -> tuple[str, ...]:
    """Yes and No, and then the same in lower case if these are tokens of their own."""
    label_tokens(tokenizer, YES_NO)
    both = (*YES_NO, *(word.lower() for word in YES_NO))
    try:
        label_tokens(tokenizer, both)
    except InputError:
        return YES_NO
    return both


def _by_condition(tokenizer: "PreTrainedTokenizerBase", claims: pl.DataFrame) -> Iterator[tuple[str, list[str]]]:
    for condition in PERSONAS:
        yield condition, [persona_prompt(tokenizer, condition, text) for text in claims["text"]]
