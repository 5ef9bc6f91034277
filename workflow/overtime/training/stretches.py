"""Disjoint stretches of a corpus, cut by documents, so that every text made of it has the same documents in a stretch."""

from collections.abc import Iterable

import polars as pl
from transformers import PreTrainedTokenizerBase

from overtime import InputError
from overtime.training.packed_corpus import encode_texts

SPARE = 16  # one part in so many more than is trained on: a rewritten text may be shorter


def cut_stretches(texts: Iterable[str], tokenizer: PreTrainedTokenizerBase, tokens: int, number: int, name: str) -> pl.DataFrame:
    """Where so many stretches of the documents lie: `stretch`, its `first` document, and the first one `after` it.

    Each has just the documents that hold `tokens` tokens and a sixteenth more. InputError, beginning with `name`, where the
    documents do not suffice.
    """
    cuts, held, needed = [0], 0, tokens + -(-tokens // SPARE)
    for document, ids in enumerate(encode_texts(texts, tokenizer), 1):
        held += len(ids)
        if held >= needed:
            cuts.append(document)
            held = 0
        if len(cuts) > number:
            break
    if len(cuts) <= number:
        had = f"{len(cuts) - 1} disjoint stretches of {tokens:,} tokens and a sixteenth to spare"
        raise InputError(f"{name}: the corpus has {had}, not {number}; ask for fewer or shorter ones, or add text")
    return pl.DataFrame({"stretch": range(number), "first": cuts[:-1], "after": cuts[1:]})
