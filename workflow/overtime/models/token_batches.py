"""Token sequences laid out as tensors: batched by tokens, sorted by length, common starts held once."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch

from overtime import InputError
from overtime.models.logit_transform import text_config

if TYPE_CHECKING:  # the suite's models do without
    from transformers import PreTrainedModel
    from transformers import PreTrainedTokenizerBase as Tokenizer

    from overtime.models.neox import Neox

# Architectures whose every layer obeys given positions and masks, so that sentences can grow from one start.
TREES = ("gpt_neox", "gptj", "llama")
TREE = 128  # tokens in a tree, so that attention within it stays a small part of the work


@dataclass
class Tree:
    """Sentences as one sequence in which a start that they share stands once: a token follows its parent, not its neighbour.

    `parents` are places in `ids`, -1 before a first token. `reads` are (place, token to predict there, sentence).
    """

    ids: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    reads: list[tuple[int, int, int]] = field(default_factory=list)
    places: dict[tuple[int, int], int] = field(default_factory=dict)  # (parent, token) -> place

    def add(self, sentence: int, ids: list[int], since: int = 1) -> None:
        """Grow by one numbered sentence, of which tokens number `since` and later are predicted; the last is never read."""
        place = -1
        for number, (token, following) in enumerate(pairwise(ids), 1):
            if (place, token) not in self.places:
                self.places[place, token] = len(self.ids)
                self.ids.append(token)
                self.parents.append(place)
            place = self.places[place, token]
            if number >= since:
                self.reads.append((place, following, sentence))


@dataclass(frozen=True)
class Batch:
    """Trees as the rows of one forward pass, and the predictions to read from it.

    `ids` and `positions` are [rows, length]; `mask` is added to attention scores, [rows, 1, length, length], None if rows are
    plain causal; `used` [rows, length] are the places that something is predicted from. Number `sources[i]` among them predicts
    `targets[i]`, a token of sentence `sentences[i]`. A slice is a batch of some of the rows.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    mask: torch.Tensor | None
    used: torch.Tensor
    sources: torch.Tensor
    targets: torch.Tensor
    sentences: torch.Tensor

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: slice) -> "Batch":
        start, stop, _ = rows.indices(len(self))
        first, after = int(self.used[:start].sum()), int(self.used[:stop].sum())
        kept = (first <= self.sources) & (self.sources < after)
        mask = None if self.mask is None else self.mask[rows]
        reads = self.sources[kept] - first, self.targets[kept], self.sentences[kept]
        return Batch(self.ids[rows], self.positions[rows], mask, self.used[rows], *reads)


def plant(sentences: list[list[int]], shared: bool, since: list[int] | None = None) -> list[Tree]:
    """Trees of at most `TREE` tokens over sorted sentences, which brings equal starts together; one each if not `shared`.

    `since` are the first tokens to predict of each sentence (default: 1, all but the first).
    """
    trees: list[Tree] = []
    for number in sorted(range(len(sentences)), key=sentences.__getitem__):
        if not shared or not trees or len(trees[-1].ids) + len(sentences[number]) > TREE:
            trees.append(Tree())
        trees[-1].add(number, sentences[number], since[number] if since else 1)
    return trees


def lay_out(trees: list[Tree], model: "PreTrainedModel | Neox", shared: bool) -> Batch:
    """Right-pad trees into one batch for `model`; without `shared` each is a single sentence, which needs no mask of its own."""
    shape = len(trees), max(len(tree.ids) for tree in trees)
    ids, positions, used = np.zeros(shape, int), np.zeros(shape, int), np.zeros(shape, bool)
    seen = np.zeros((*shape, shape[1]), bool)
    seen[:] = np.eye(shape[1], dtype=bool)
    reads = []
    for row, tree in enumerate(trees):
        ids[row, : len(tree.ids)] = tree.ids
        for place, parent in enumerate(tree.parents):
            if parent >= 0:
                positions[row, place] = positions[row, parent] + 1
                seen[row, place] |= seen[row, parent]
        reads += [(row * shape[1] + place, target, sentence) for place, target, sentence in tree.reads]
    places, targets, numbers = np.array(reads).T.copy()
    used.reshape(-1)[places] = True
    sources = (used.cumsum() - 1)[places]
    added = torch.where(torch.from_numpy(seen[:, None]), 0.0, torch.finfo(model.dtype).min)
    mask = added.to(model.device, model.dtype) if shared else None
    arrays = {"ids": ids, "positions": positions, "used": used, "sources": sources, "targets": targets, "sentences": numbers}
    return Batch(mask=mask, **{name: torch.from_numpy(array).to(model.device) for name, array in arrays.items()})


def context(model: "PreTrainedModel | Neox") -> int | None:
    """How many tokens a model reads; None if nothing sets a limit (BLOOM).

    With longrope every token of a longer text than the original context is read otherwise: not beyond that.
    """
    config = text_config(model.config)
    rotary = getattr(config, "rope_parameters", None) or {}
    kinds = [rotary, *(kind for kind in rotary.values() if isinstance(kind, dict))]
    limits = [getattr(config, "max_position_embeddings", None), getattr(config, "max_seq_len", None)]
    limits += [kind.get("original_max_position_embeddings") for kind in kinds if kind.get("rope_type") == "longrope"]
    return min(filter(None, limits), default=None)


def check_length(model: "PreTrainedModel", name: str, tokens: int) -> None:
    """Raise an InputError that begins with `name` if the model's context is shorter than this."""
    if not holds(model, tokens):
        raise InputError(f"{name}: {tokens} tokens, but the model's context holds {context(model)}; use a shorter prompt")


def holds(model: "PreTrainedModel", tokens: int) -> bool:
    """Whether the model's context is as long as this."""
    longest = context(model)
    return longest is None or tokens <= longest


def shared_start(left: list[int], right: list[int]) -> int:
    """How many tokens two sequences begin with in common."""
    return next((place for place, (one, other) in enumerate(zip(left, right)) if one != other), min(len(left), len(right)))


def by_length(lengths: list[int], tokens: int) -> Iterator[list[int]]:
    """Indices in order of length, in runs whose padded size is at most so many tokens (one row at least)."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        # In this order the newest row is the longest, to which all are padded.
        if batch and lengths[index] * (len(batch) + 1) > tokens:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def after_start(start: int, ids: list[int]) -> list[int]:
    """Token ids that begin with `start`, which is put first unless it stands there."""
    return ids if ids[:1] == [start] else [start, *ids]


def after_separator(tokenizer: "Tokenizer", ids: list[int]) -> list[int]:
    """Token ids of a prompt as the tokenizer gives them, but after its BOS token if that is its EOS token, too.

    Such a token (of GPT-NeoX, GPT-2 and their kin) came before every training document, and their tokenizers leave it out.
    """
    separator = tokenizer.bos_token_id
    return ids if separator is None or separator != tokenizer.eos_token_id else after_start(separator, ids)
