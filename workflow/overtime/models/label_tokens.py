"""Labels as tokens: what a readout or a comparison of answers looks up in the logits."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from overtime import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def label_tokens(tokenizer: "PreTrainedTokenizerBase", labels: Sequence[str]) -> list[int]:
    """Token id of every label after a space; InputError if a label is not one token or two labels are the same token."""
    owner: dict[int, str] = {}
    for label in labels:
        if label != label.strip():
            raise InputError(f"label {label!r}: white space around it; the space before a label is put there")
        tokens = tokenizer(f" {label}", add_special_tokens=False)["input_ids"]
        if len(tokens) != 1 or tokens[0] == tokenizer.unk_token_id:
            raise InputError(f"label {label!r}: not one token of this tokenizer; use a word that is one token after a space")
        if tokens[0] in owner:
            raise InputError(f"label {label!r}: same token as {owner[tokens[0]]!r} for this tokenizer; labels must differ in it")
        owner[tokens[0]] = label
    return list(owner)


def first_tokens(tokenizer: "PreTrainedTokenizerBase", candidates: Sequence[str]) -> list[int]:
    """First token id of every candidate; InputError for one without a known token, and where two begin with the same."""
    owner: dict[int, str] = {}
    for candidate, tokens in zip(candidates, tokenizer(list(candidates), add_special_tokens=False)["input_ids"]):
        if not tokens or tokens[0] == tokenizer.unk_token_id:
            raise InputError(f"candidate {candidate!r}: begins with no token of this tokenizer; use a word that it knows")
        if tokens[0] in owner:
            raise InputError(f"candidate {candidate!r}: same first token as {owner[tokens[0]]!r}; their first tokens must differ")
        owner[tokens[0]] = candidate
    return list(owner)
