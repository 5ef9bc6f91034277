"""Token sequences laid out as tensors: sorted by length, batched by tokens, common starts held once."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from transformers import PreTrainedModel

TOKENS = {"cpu": 512, "cuda": 8192}  # in one forward pass, padding included


@dataclass(frozen=True)
class Tree:
    """Sentences as one sequence, the start that they share only once: a token follows its parent, not its neighbour.

    `parents` are places in `ids`, -1 before the first token. `reads` are (place, token to predict there, sentence).
    """

    ids: list[int]
    parents: list[int]
    reads: list[tuple[int, int, int]]


@dataclass(frozen=True)
class Batch:
    """Trees as the rows of one forward pass, and the predictions to read from it.

    `ids` and `positions` are [rows, length]; `mask` is added to attention scores, [rows, 1, length, length], None if rows are
    plain causal; `used` [rows, length] is False on padding. Among the used places, number `sources[i]` predicts `targets[i]`, a
    token of sentence `sentences[i]`.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    mask: torch.Tensor | None
    used: torch.Tensor
    sources: torch.Tensor
    targets: torch.Tensor
    sentences: torch.Tensor


def plant(sentences: dict[int, list[int]]) -> Tree:
    """The tree of numbered token sequences; the last token of a sequence is predicted, never read."""
    tree, places = Tree([], [], []), {}
    for sentence, ids in sentences.items():
        place = -1
        for token, following in pairwise(ids):
            if (place, token) not in places:
                places[place, token] = len(tree.ids)
                tree.ids.append(token)
                tree.parents.append(place)
            place = places[place, token]
            tree.reads.append((place, following, sentence))
    return tree


def lay_out(trees: list[Tree], model: PreTrainedModel, causal: bool) -> Batch:
    """Right-pad trees into one batch for `model`; `causal` if each is a single sentence, which needs no mask of its own."""
    shape = len(trees), max(len(tree.ids) for tree in trees)
    ids, positions, used = np.zeros(shape, int), np.zeros(shape, int), np.zeros(shape, bool)
    seen = np.zeros((*shape, shape[1]), bool)
    seen[:] = np.eye(shape[1], dtype=bool)
    reads, before = [], 0
    for row, tree in enumerate(trees):
        ids[row, : len(tree.ids)] = tree.ids
        used[row, : len(tree.ids)] = True
        for place, parent in enumerate(tree.parents):
            if parent >= 0:
                positions[row, place] = positions[row, parent] + 1
                seen[row, place] |= seen[row, parent]
        reads += [(before + place, target, sentence) for place, target, sentence in tree.reads]
        before += len(tree.ids)
    mask = None if causal else torch.zeros(shape[0], 1, *seen.shape[1:], dtype=model.dtype, device=model.device)
    if mask is not None:
        mask.masked_fill_(~torch.from_numpy(seen[:, None]).to(model.device), torch.finfo(model.dtype).min)
    tensors = [torch.from_numpy(array).to(model.device) for array in (ids, positions, used, *np.array(reads).T.copy())]
    return Batch(*tensors[:2], mask, *tensors[2:])


def left_pad(rows: list[list[int]], model: PreTrainedModel) -> tuple[torch.Tensor, torch.Tensor]:
    """`ids` and `mask` (1 on tokens, 0 on padding), both [rows, length], for prompts that are to be continued."""
    shape = len(rows), max(map(len, rows))
    ids, mask = np.zeros(shape, int), np.zeros(shape, int)
    for row, tokens in enumerate(rows):
        ids[row, shape[1] - len(tokens) :] = tokens
        mask[row, shape[1] - len(tokens) :] = 1
    return torch.from_numpy(ids).to(model.device), torch.from_numpy(mask).to(model.device)


def shared_start(sequences: list[list[int]]) -> int:
    """How many leading tokens all sequences have in common."""
    columns = zip(*sequences)
    return next((place for place, tokens in enumerate(columns) if len(set(tokens)) > 1), min(map(len, sequences)))


def by_length(lengths: list[int], device: torch.device) -> Iterator[list[int]]:
    """Indices in order of length, in runs whose padded size stays within the device's token budget (one row at least)."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[index] * (len(batch) + 1) > TOKENS[device.type]:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
