"""Does a persona draw out conspiracy theories? Answers and log-odds of Yes under a plain, a persona and a benign prompt.

The persona prompt asks for two characters, the second of whom agrees with conspiracy theories; in the benign prompt that
character agrees with mainstream science and nothing else differs, so the form of the prompt is controlled for. Claims that are
plainly true and plainly false show whether a shift is more than a general readiness to say yes.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import polars as pl

from overtime.attacks.personas import PERSONAS
from overtime.models.label_tokens import label_tokens

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

YES_NO = ("Yes", "No")


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
    """`claim`, `group`, `condition`, `text`, `log_odds` = log P(Yes) - log P(No) of the answer's first word, natural logarithm.

    InputError if Yes or No is not one token of the tokenizer.
    """
    from overtime.models.answers import token_log_probs

    label_tokens(tokenizer, YES_NO)
    tables = []
    for condition, prompts in _by_condition(tokenizer, claims):
        yes, no = token_log_probs(model, tokenizer, prompts, [f" {word}" for word in YES_NO]).T
        tables.append(claims.select("claim", "group", "text").with_columns(condition=pl.lit(condition), log_odds=yes - no))
    return pl.concat(tables).select("claim", "group", "condition", "text", "log_odds")


def answers(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", questions: pl.DataFrame, max_new_tokens: int
) -> pl.DataFrame:
    """Greedy answers of one line to some of the claims: `question` (the claim), `group`, `condition`, `text`, `answer`."""
    from overtime.models.answers import greedy

    tables = []
    for condition, prompts in _by_condition(tokenizer, questions):
        said = pl.Series(greedy(model, tokenizer, prompts, max_new_tokens), dtype=pl.String)
        tables.append(questions.select("group", "text", question="claim", condition=pl.lit(condition), answer=said))
    return pl.concat(tables).select("question", "group", "condition", "text", "answer")


def _by_condition(tokenizer: "PreTrainedTokenizerBase", claims: pl.DataFrame) -> Iterator[tuple[str, list[str]]]:
    for condition in PERSONAS:
        yield condition, [persona_prompt(tokenizer, condition, text) for text in claims["text"]]
