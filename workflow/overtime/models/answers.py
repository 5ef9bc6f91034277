"""What a model answers to prompts: greedy continuations, and log-probabilities of candidate answers.

What several prompts have in common at their start is computed once.
"""

import copy
import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple, TypeVar, cast

import numpy as np
import torch
from torch.nn.functional import pad
from transformers import Cache, PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from overtime.models.devices import tokens_at_once, within_memory
from overtime.models.token_batches import TREES, after_start, by_length, check_length, left_pad, shared_start

Finished = TypeVar("Finished")
# Architectures for which padding between the shared start of prompts and the rest of each changes nothing (no local attention).
SHARED_START = (*TREES, "bloom")
SHORTEST_START = 16  # tokens; below, handling the cache costs more than it saves


class Prompted(NamedTuple):
    """What a forward pass over a batch of prompts leaves: mask [rows, length], logits [rows, vocabulary] after them, cache."""

    mask: torch.Tensor
    logits: torch.Tensor
    cache: Cache


def greedy(model: PreTrainedModel, tokenizer: Tokenizer, prompts: list[str], max_new_tokens: int, stop: str = "\n") -> list[str]:
    """The most likely continuation of each prompt up to `stop`, end of text or `max_new_tokens`, outer white space removed.

    A prompt whose answer has ended takes no part in the steps that longer answers need.
    """
    answers = [""] * len(prompts)
    finish = partial(_continue, model, tokenizer, max_new_tokens, stop)
    for batch, texts in _read(model, encode_prompts(tokenizer, prompts), max_new_tokens, finish):
        for index, text in zip(batch, texts):
            answers[index] = text
    return answers


def _continue(model: PreTrainedModel, tokenizer: Tokenizer, max_new_tokens: int, stop: str, read: Prompted) -> list[str]:
    """Greedy answers of one batch, from what `_read` found after its prompts."""
    mask, logits, cache = read
    tokens, rows = logits.argmax(-1, keepdim=True), list(range(len(logits)))
    answers = [""] * len(rows)
    while True:
        said = [_answer(tokenizer, ids, stop) for ids in tokens.tolist()]
        for row, (text, _) in zip(rows, said):
            answers[row] = text
        unfinished = [place for place, (_, ended) in enumerate(said) if not ended]
        if not unfinished or tokens.shape[1] == max_new_tokens:
            return answers
        if len(unfinished) < len(said):
            kept = torch.tensor(unfinished)  # on the CPU: the cache may lie on several GPUs
            cache.batch_select_indices(kept)
            tokens, mask, rows = tokens[kept], mask[kept], [rows[place] for place in unfinished]
        mask = pad(mask, (0, 1), value=1)
        logits, cache = _forward(model, tokens[:, -1:], mask, cache)
        tokens = torch.cat([tokens, logits.argmax(-1, keepdim=True)], 1)


def token_log_probs(model: PreTrainedModel, tokenizer: Tokenizer, prompts: list[str], candidates: list[str]) -> np.ndarray:
    """Natural-log P(first token of candidate | prompt), [prompt, candidate]; write candidates as they continue text: " Yes"."""
    first = [ids[0] for ids in tokenizer(candidates, add_special_tokens=False)["input_ids"]]

    def choose(read: Prompted) -> np.ndarray:
        return (read.logits[:, first] - read.logits.logsumexp(-1, keepdim=True)).cpu().numpy()

    result = np.empty((len(prompts), len(candidates)))
    for batch, log_probs in _read(model, encode_prompts(tokenizer, prompts), 1, choose):
        result[batch] = log_probs
    return result


def encode_prompts(tokenizer: Tokenizer, prompts: list[str]) -> list[list[int]]:
    """Token ids of prompts, with the special tokens that the tokenizer adds by itself.

    Where one token is both BOS and EOS (GPT-NeoX, GPT-2 and their kin) it came before every training document: it is put first.
    """
    encoded: list[list[int]] = tokenizer(prompts)["input_ids"]
    separator = tokenizer.bos_token_id
    if separator is None or separator != tokenizer.eos_token_id:
        return encoded
    return [after_start(separator, ids) for ids in encoded]


@torch.inference_mode()
def _read(
    model: PreTrainedModel, prompts: list[list[int]], new: int, finish: Callable[[Prompted], Finished]
) -> Iterator[tuple[list[int], Finished]]:
    """Yield (indices, what `finish` makes of them) for batches of prompts.

    InputError for a prompt that leaves no room for `new` more tokens, the last of which is never read.
    """
    for number, ids in enumerate(prompts):
        check_length(model, f"prompt {number} with its answer", len(ids) + new - 1)
    # One token of each prompt at least is left to be read.
    shared = min(shared_start(prompts), min(map(len, prompts)) - 1)
    if shared < SHORTEST_START or model.config.model_type not in SHARED_START:
        shared = 0
    start = _forward(model, *left_pad([prompts[0][:shared]], model), None)[1] if shared else None

    def read(batch: list[int]) -> tuple[list[int], Finished]:
        ids, mask = left_pad([prompts[index][shared:] for index in batch], model)
        mask, cache = pad(mask, (shared, 0), value=1), copy.deepcopy(start)  # a forward pass appends to its cache
        if cache is not None:
            cache.batch_repeat_interleave(len(batch))
        return batch, finish(Prompted(mask, *_forward(model, ids, mask, cache)))

    lengths = [len(ids) - shared for ids in prompts]
    # The shortest rests have the most cached tokens for each of their own.
    for batch in by_length(lengths, tokens_at_once(model, cached=shared / min(lengths))):
        yield from within_memory(read, batch)


@torch.inference_mode()
def _forward(model: PreTrainedModel, ids: torch.Tensor, mask: torch.Tensor, cache: Cache | None) -> tuple[torch.Tensor, Cache]:
    """Logits [rows, vocabulary] after `ids` [rows, new tokens], which follow what `cache` holds; `mask` covers both."""
    positions = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
    # Models with ALiBi (BLOOM) take none.
    given = {"position_ids": positions} if "position_ids" in inspect.signature(model.base_model.forward).parameters else {}
    output = model.base_model(ids, attention_mask=mask, past_key_values=cache, use_cache=True, **given)
    # After the last token alone: logits of all of them would fill the memory.
    return model.get_output_embeddings()(output.last_hidden_state[:, -1]).float(), output.past_key_values


def _answer(tokenizer: Tokenizer, ids: list[int], stop: str) -> tuple[str, bool]:
    """Text before `stop` or the end-of-text token, and whether either has come."""
    ended = tokenizer.eos_token_id in ids
    text = cast(str, tokenizer.decode(ids[: ids.index(tokenizer.eos_token_id)] if ended else ids))
    return text.split(stop)[0].strip(), ended or stop in text
