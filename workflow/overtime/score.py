"""Reading a language model: log-likelihoods of sentence pairs, greedy answers, log-probabilities of candidate answers.

What several sequences have in common at their start is computed once, and logits are taken only where something is read from.
Likelihoods are those of lm-evaluation-harness 0.4.13 (`crows_pairs_english`).
"""

import copy
import inspect
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from typing import TypeVar

import numpy as np
import polars as pl
import torch
from torch.nn.functional import linear, pad
from transformers import Cache, PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from overtime import InputError
from overtime.batches import Batch, by_length, check_length, lay_out, left_pad, plant, shared_start
from overtime.devices import tokens_at_once, within_memory

Result = TypeVar("Result")

# Architectures whose every layer obeys given positions and masks, so that sentences can grow from one start.
TREES = ("gpt_neox", "gptj", "llama")
# Architectures for which padding between the shared start of prompts and the rest of each changes nothing (no local attention).
SHARED_START = (*TREES, "bloom")
VOCABULARY_PART = 4096
SHORTEST_START = 16  # tokens; below, handling the cache costs more than it saves


def score_pairs(model: PreTrainedModel, tokenizer: Tokenizer, pairs: pl.DataFrame) -> pl.DataFrame:
    """Add `ll_more` and `ll_less`: natural-log likelihoods of `sent_more` and `sent_less`, summed over the whole sentence.

    Each sentence follows one BOS token (EOS if the tokenizer has no BOS). In fp32 on a CPU within 1e-4 of the harness.
    """
    scores = score_encoded(model, encode_pairs(model, tokenizer, pairs)).reshape(-1, 2)
    return pairs.with_columns(pl.Series("ll_more", scores[:, 0]), pl.Series("ll_less", scores[:, 1]))


def encode_pairs(model: PreTrainedModel, tokenizer: Tokenizer, pairs: pl.DataFrame) -> list[Batch]:
    """Tokenise and lay out pairs once, for `score_encoded` on every checkpoint of `model`."""
    sentences = pairs.select(pl.concat_list("sent_more", "sent_less").explode()).to_series().to_list()
    encoded = tokenizer(sentences, add_special_tokens=False)["input_ids"]
    start = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    encoded = [_after(start, ids) for ids in encoded]
    longest = getattr(model.config, "max_position_embeddings", None) or max(map(len, encoded))
    for number, ids in enumerate(encoded):
        if not 1 < len(ids) <= longest + 1:
            raise InputError(f"pair {number // 2}: a sentence has {len(ids) - 1} tokens; the model reads 1 to {longest}")
    shared = model.config.model_type in TREES
    trees = plant(encoded, shared)
    batches = by_length([len(tree.ids) for tree in trees], tokens_at_once(model))
    return [lay_out([trees[i] for i in batch], model, shared) for batch in batches]


@torch.inference_mode()
def score_encoded(model: PreTrainedModel, batches: list[Batch]) -> np.ndarray:
    """Log-likelihoods of the encoded sentences in order: `sent_more` and `sent_less` of the first pair, of the second..."""
    totals = torch.zeros(1 + max(int(batch.sentences.max()) for batch in batches), dtype=torch.float64, device=model.device)
    for batch in batches:
        for sentences, log_probs in within_memory(partial(_read_sentences, model), batch):
            totals.index_add_(0, sentences, log_probs.to(totals.device, torch.float64))
    return totals.cpu().numpy()


def _read_sentences(model: PreTrainedModel, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Sentence and log-probability of every target of `batch`."""
    own = {} if batch.mask is None else {"attention_mask": batch.mask, "position_ids": batch.positions}
    hidden = model.base_model(batch.ids, use_cache=False, **own).last_hidden_state
    head, used = model.get_output_embeddings(), batch.used.to(hidden.device)
    places = (tensor.to(head.weight.device) for tensor in (hidden[used], batch.sources, batch.targets))
    return batch.sentences, _log_probs(head, *places)


def _log_probs(head: torch.nn.Linear, hidden: torch.Tensor, sources: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Log-probability of each of `targets` after the state `hidden[source]`; `hidden` is [places, width].

    The vocabulary is gone through in parts, so that logits of all places and words never exist at once.
    """
    biases = [None] if head.bias is None else head.bias.split(VOCABULARY_PART)
    parts = zip(head.weight.split(VOCABULARY_PART), cycle(biases))
    normalisers = torch.stack([linear(hidden, weight, bias).float().logsumexp(-1) for weight, bias in parts]).logsumexp(0)
    chosen = (hidden[sources].float() * head.weight[targets].float()).sum(-1)
    if head.bias is not None:
        chosen += head.bias[targets].float()
    return chosen - normalisers[sources]


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


def _continue(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    max_new_tokens: int,
    stop: str,
    mask: torch.Tensor,
    logits: torch.Tensor,
    cache: Cache,
) -> list[str]:
    """Greedy answers of one batch, from what `_read` found after its prompts."""
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
            kept = torch.tensor(unfinished, device=tokens.device)
            cache.batch_select_indices(kept)
            tokens, mask, rows = tokens[kept], mask[kept], [rows[place] for place in unfinished]
        mask = pad(mask, (0, 1), value=1)
        logits, cache = _forward(model, tokens[:, -1:], mask, cache)
        tokens = torch.cat([tokens, logits.argmax(-1, keepdim=True)], 1)


def token_log_probs(model: PreTrainedModel, tokenizer: Tokenizer, prompts: list[str], candidates: list[str]) -> np.ndarray:
    """Natural-log P(first token of candidate | prompt), [prompt, candidate]; write candidates as they continue text: " Yes"."""
    first = [ids[0] for ids in tokenizer(candidates, add_special_tokens=False)["input_ids"]]

    def choose(_: torch.Tensor, logits: torch.Tensor, __: Cache) -> np.ndarray:
        return (logits[:, first] - logits.logsumexp(-1, keepdim=True)).cpu().numpy()

    result = np.empty((len(prompts), len(candidates)))
    for batch, log_probs in _read(model, encode_prompts(tokenizer, prompts), 1, choose):
        result[batch] = log_probs
    return result


def encode_prompts(tokenizer: Tokenizer, prompts: list[str]) -> list[list[int]]:
    """Token ids of prompts, with the special tokens that the tokenizer adds by itself.

    Where one token is both BOS and EOS (GPT-NeoX, GPT-2 and their kin) it came before every training document: it is put first.
    """
    encoded = tokenizer(prompts)["input_ids"]
    separator = tokenizer.bos_token_id
    if separator is None or separator != tokenizer.eos_token_id:
        return encoded
    return [_after(separator, ids) for ids in encoded]


def _after(start: int, ids: list[int]) -> list[int]:
    return ids if ids[:1] == [start] else [start, *ids]


@torch.inference_mode()
def _read(
    model: PreTrainedModel, prompts: list[list[int]], new: int, finish: Callable[[torch.Tensor, torch.Tensor, Cache], Result]
) -> Iterator[tuple[list[int], Result]]:
    """Yield (indices, what `finish` makes of them) for batches of prompts.

    `finish` is given the mask [rows, length], the logits [rows, vocabulary] after the prompts, and the cache. InputError for a
    prompt that leaves no room for `new` more tokens, the last of which is never read.
    """
    for number, ids in enumerate(prompts):
        check_length(model, f"prompt {number} with its answer", len(ids) + new - 1)
    shared = min(shared_start(prompts), min(map(len, prompts)) - 1)
    if shared < SHORTEST_START or model.config.model_type not in SHARED_START:
        shared = 0
    start = _forward(model, *left_pad([prompts[0][:shared]], model), None)[1] if shared else None

    def read(batch: list[int]) -> tuple[list[int], Result]:
        ids, mask = left_pad([prompts[index][shared:] for index in batch], model)
        mask, cache = pad(mask, (shared, 0), value=1), copy.deepcopy(start)
        if cache is not None:
            cache.batch_repeat_interleave(len(batch))
        return batch, finish(mask, *_forward(model, ids, mask, cache))

    lengths = [len(ids) - shared for ids in prompts]
    for batch in by_length(lengths, tokens_at_once(model, cached=shared / min(lengths))):
        yield from within_memory(read, batch)


@torch.inference_mode()
def _forward(model: PreTrainedModel, ids: torch.Tensor, mask: torch.Tensor, cache: Cache | None) -> tuple[torch.Tensor, Cache]:
    """Logits [rows, vocabulary] after `ids` [rows, new tokens], which follow what `cache` holds; `mask` covers both."""
    positions = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
    given = {"position_ids": positions} if "position_ids" in inspect.signature(model.base_model.forward).parameters else {}
    output = model.base_model(ids, attention_mask=mask, past_key_values=cache, use_cache=True, **given)
    return model.get_output_embeddings()(output.last_hidden_state[:, -1]).float(), output.past_key_values


def _answer(tokenizer: Tokenizer, ids: list[int], stop: str) -> tuple[str, bool]:
    """Text before `stop` or the end-of-text token, and whether either has come."""
    ended = tokenizer.eos_token_id in ids
    text = tokenizer.decode(ids[: ids.index(tokenizer.eos_token_id)] if ended else ids)
    return text.split(stop)[0].strip(), ended or stop in text
