"""Packing a corpus for a published model: its own tokenizer, documents end to end, a file that is mapped and never read at once.

A stream file holds token ids, two bytes each where the vocabulary allows it, else four, and is signed.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from transformers import PreTrainedTokenizerBase

from overtime import InputError
from overtime.checksums import check_signature, sign
from overtime.files import atomic
from overtime.training.token_streams import Stream

TOGETHER = 1000  # documents tokenised at once


def token_type(vocabulary: int) -> np.dtype:
    """The smaller of uint16 and uint32 that holds every token id."""
    return np.dtype("<u2" if vocabulary <= 1 << 16 else "<u4")


def pack_texts(
    texts: Iterable[str], tokenizer: PreTrainedTokenizerBase, tokens: int | None, path: str | Path, name: str = "stream"
) -> int:
    """Write the first `tokens` tokens (None: all) of the texts, each followed by the end-of-text token; return their number.

    Documents are cut wherever a sequence ends, as in the training of Pythia. Raises InputError where the texts have fewer.
    """
    if tokenizer.eos_token_id is None:
        raise InputError(f"{name}: the tokenizer has no end-of-text token (eos_token in its tokenizer_config.json)")
    written, kind = 0, token_type(len(tokenizer))
    with atomic(path) as temporary:
        with open(temporary, "wb") as file:
            for ids in encode_texts(texts, tokenizer):
                ids = ids[: tokens - written] if tokens else ids
                file.write(np.array(ids, kind).tobytes())
                written += len(ids)
                if written == tokens:
                    break
        sign(temporary)
        if tokens and written < tokens:
            raise InputError(f"{name}: the corpus has {written:,} tokens, not {tokens:,}; ask for fewer or add shards")
    return written


def encode_texts(texts: Iterable[str], tokenizer: PreTrainedTokenizerBase) -> Iterator[list[int]]:
    """The token ids of each text, and the end-of-text token after them."""
    stream = iter(texts)
    while together := list(islice(stream, TOGETHER)):
        # Half of a surrogate pair, which JSON can hold and UTF-8 cannot, is a question mark.
        together = [text.encode("utf-8", "replace").decode() for text in together]
        # verbose=False: no warning of documents longer than the model's context, which are cut later.
        encoded = tokenizer(together, add_special_tokens=False, return_attention_mask=False, verbose=False)
        for ids in encoded["input_ids"]:
            yield [*ids, tokenizer.eos_token_id]


def open_stream(path: str | Path, vocabulary: int, context: int, batch: int) -> Stream:
    """The packed tokens as sequences of `context`, mapped from the file; an incomplete last one is dropped."""
    kind = token_type(vocabulary)
    count = check_signature(path) // kind.itemsize
    flat = np.memmap(path, kind, mode="r", shape=count) if count else np.empty(0, kind)
    sequences = len(flat) // context
    if sequences < batch:
        raise InputError(f"{path}: {len(flat):,} tokens do not fill one step of {batch} x {context}")
    return Stream(flat[: sequences * context].reshape(sequences, context), 0, sequences // batch)
