"""Log-likelihoods of sentence pairs: those of lm-evaluation-harness 0.4.13 (`crows_pairs_english`).

What several sentences have in common at their start is computed once, and logits are taken only where something is read from.
"""

from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import torch
from torch.nn.functional import linear

from overtime import InputError
from overtime.models.devices import tokens_at_once, within_memory
from overtime.models.finite import check_scores
from overtime.models.logit_transform import LogitTransform
from overtime.models.probe import logit_transform
from overtime.models.token_batches import TREES, Batch, after_start, by_length, context, lay_out, plant, shared_start

if TYPE_CHECKING:  # the suite's models do without
    from transformers import PreTrainedModel
    from transformers import PreTrainedTokenizerBase as Tokenizer

    from overtime.models.neox import Neox

VOCABULARY_PART = 4096


def score_pairs(model: "PreTrainedModel", tokenizer: "Tokenizer", pairs: pl.DataFrame) -> pl.DataFrame:
    """Add `ll_more` and `ll_less`: natural-log likelihoods of `sent_more` and `sent_less`, summed over the whole sentence.

    Each sentence follows one BOS token (EOS if the tokenizer has no BOS), as in the harness; prompts to answer or to read layers
    of have one only where models were trained with it (`token_batches.after_separator`). In fp32 on a CPU within 1e-4 of the
    harness.
    """
    scores = score_encoded(model, encode_pairs(model, tokenizer, pairs)).reshape(-1, 2)
    return pairs.with_columns(pl.Series("ll_more", scores[:, 0]), pl.Series("ll_less", scores[:, 1]))


def encode_pairs(model: "PreTrainedModel", tokenizer: "Tokenizer", pairs: pl.DataFrame, whole: bool = True) -> list[Batch]:
    """Tokenise and lay out pairs once, for `score_encoded` on every checkpoint of `model`; `whole` as in `lay_out_pairs`."""
    return lay_out_pairs(model, encode_sentences(tokenizer, sentences_of(pairs)), whole)


def encode_sentences(tokenizer: "Tokenizer", sentences: list[str]) -> list[list[int]]:
    """Token ids of the sentences, each after one BOS token (EOS if the tokenizer has no BOS)."""
    start = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    if start is None:
        raise InputError("the tokenizer has neither a BOS nor an EOS token; one of them must stand before every sentence")
    return [after_start(start, ids) for ids in tokenizer(sentences, add_special_tokens=False)["input_ids"]]


def lay_out_texts(model: "PreTrainedModel | Neox", encoded: list[list[int]]) -> list[Batch]:
    """Batches of single texts given as token ids after one BOS token, for `score_encoded`; none is longer than the context."""
    logit_transform(model)
    trees = plant(encoded, shared=False)
    batches = by_length([len(tree.ids) for tree in trees], tokens_at_once(model))
    return [lay_out([trees[i] for i in batch], model, shared=False) for batch in batches]


def sentences_of(pairs: pl.DataFrame) -> list[str]:
    """`sent_more` and `sent_less` of the first pair, of the second..."""
    return pairs.select(pl.concat_list("sent_more", "sent_less").explode()).to_series().to_list()


def lay_out_pairs(model: "PreTrainedModel | Neox", encoded: list[list[int]], whole: bool = True) -> list[Batch]:
    """Batches of sentences given as token ids after one BOS token, in the order of `sentences_of`.

    If not `whole`, the tokens that begin both sentences of a pair are read but not scored: a likelihood is that of the rest given
    them, and the difference within the pair stays the same.
    """
    logit_transform(model)  # before anything else: it may not be a model to read
    longest = context(model) or max(map(len, encoded))
    for number, ids in enumerate(encoded):
        # The last token is predicted and never read.
        if not 1 < len(ids) <= longest + 1:
            raise InputError(f"pair {number // 2}: a sentence has {len(ids) - 1} tokens; the model reads 1 to {longest}")
    attention = getattr(model.config, "_attn_implementation", "eager")
    shared = model.config.model_type in TREES and attention in ("eager", "sdpa")  # which take masks as they are
    since = None if whole else [place for more, less in zip(encoded[::2], encoded[1::2]) for place in 2 * [_parting(more, less)]]
    trees = plant(encoded, shared, since)
    batches = by_length([len(tree.ids) for tree in trees], tokens_at_once(model))
    return [lay_out([trees[i] for i in batch], model, shared) for batch in batches]


@torch.inference_mode()
def score_encoded(model: "PreTrainedModel | Neox", batches: list[Batch]) -> np.ndarray:
    """Log-likelihoods of the encoded sentences in order: `sent_more` and `sent_less` of the first pair, of the second...

    InputError, which names the pair, for one that is not finite.
    """
    transform = logit_transform(model)
    totals = torch.zeros(1 + max(int(batch.sentences.max()) for batch in batches), dtype=torch.float64, device=model.device)
    for batch in batches:
        for sentences, log_probs in within_memory(partial(_read_sentences, model, transform), batch):
            totals.index_add_(0, sentences, log_probs.to(totals.device, torch.float64))
    scores = totals.cpu().numpy()
    check_scores(scores, lambda row: f"pair {row // 2}: log-likelihood of sent_{('more', 'less')[row % 2]}")
    return scores


def _read_sentences(
    model: "PreTrainedModel | Neox", transform: LogitTransform, batch: Batch
) -> tuple[torch.Tensor, torch.Tensor]:
    """Sentence and log-probability of every target of `batch`."""
    own = {} if batch.mask is None else {"attention_mask": batch.mask, "position_ids": batch.positions}
    hidden = model.base_model(batch.ids, use_cache=False, **own).last_hidden_state
    head, used = model.get_output_embeddings(), batch.used.to(hidden.device)
    sources, targets = batch.sources.to(head.weight.device), batch.targets.to(head.weight.device)
    return batch.sentences, _log_probs(head, transform, hidden[used].to(head.weight), sources, targets)


def _parting(more: list[int], less: list[int]) -> int:
    """Number of the first token in which two sentences differ, or of the last that both have."""
    return min(shared_start(more, less), len(more) - 1, len(less) - 1)


def _log_probs(
    head: torch.nn.Linear, transform: LogitTransform, hidden: torch.Tensor, sources: torch.Tensor, targets: torch.Tensor
) -> torch.Tensor:
    """Log-probability of each of `targets` after the state `hidden[source]`; `hidden` is [places, width].

    The vocabulary is gone through in parts, so that logits of all places and words never exist at once.
    """
    biases = [None] if head.bias is None else head.bias.split(VOCABULARY_PART)
    parts = zip(head.weight.split(VOCABULARY_PART), cycle(biases))
    normalisers = torch.stack([transform(linear(hidden, weight, bias)).logsumexp(-1) for weight, bias in parts]).logsumexp(0)
    chosen = (hidden[sources].float() * head.weight[targets].float()).sum(-1)
    if head.bias is not None:
        chosen += head.bias[targets].float()
    return transform(chosen) - normalisers[sources]
