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
        tokens = tokenizer(f" {label}", add_special_tokens=False)["input_ids"]
        if len(tokens) != 1 or tokens[0] == tokenizer.unk_token_id:
            raise InputError(f"label {label!r}: not one token of this tokenizer; use a word that is one token after a space")
        if tokens[0] in owner:
            raise InputError(f"label {label!r}: same token as {owner[tokens[0]]!r} for this tokenizer; labels must differ in it")
        owner[tokens[0]] = label
    return list(owner)
