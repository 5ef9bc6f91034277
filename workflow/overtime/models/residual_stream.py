"""The residual stream of a causal language model, at chosen positions only, and its readout into logits.

One forward pass of the trunk (no unembedding) with hooks that keep the wanted positions. Sequences that begin with the same
tokens share one pass over that prefix through a key/value cache. Attention is causal and padding on the right: no mask is needed.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile

import torch
from accelerate.hooks import remove_hook_from_module
from torch import Tensor, nn
from transformers import Cache, DynamicCache, PreTrainedModel

from overtime import InputError
from overtime.models.devices import tokens_at_once, within_memory
from overtime.models.token_batches import by_length

# Blocks and final norm inside the trunk, by `model_type`. What enters the first block counts as the embeddings: with GPT-2's
# positions and BLOOM's embedding norm.
TRUNK_PARTS = {
    "gpt_neox": ("layers", "final_layer_norm"),
    "llama": ("layers", "norm"),
    "gpt_neo": ("h", "ln_f"),
    "gptj": ("h", "ln_f"),
    "bloom": ("h", "ln_f"),
    "gpt2": ("h", "ln_f"),
}
SHORTEST_PREFIX = 32  # tokens; below, the second forward pass costs more than it saves


@dataclass(frozen=True)
class Anatomy:
    """The parts of a model that a lens needs: logits = unembedding(norm(last block's output))."""

    trunk: nn.Module
    blocks: nn.ModuleList
    norm: nn.Module
    unembedding: nn.Linear


@dataclass(frozen=True)
class Readout:
    """Final norm in float32, then unembedding: of the whole vocabulary in the model's type, or of some tokens in float32."""

    norm: nn.Module
    weight: Tensor
    bias: Tensor | None

    @classmethod
    def of(cls, parts: Anatomy, tokens: list[int] | None = None) -> "Readout":
        weight, own = parts.unembedding.weight.detach(), parts.unembedding.bias
        # A copy, since the model's own keeps its type; without accelerate's hook, which serves the original's place.
        norm = remove_hook_from_module(copy.deepcopy(parts.norm)).to(weight.device, torch.float32).requires_grad_(False)
        bias = None if own is None else own.detach()
        if tokens is None:
            return cls(norm, weight, bias)
        return cls(norm, weight[tokens].float(), None if bias is None else bias[tokens].float())

    def __call__(self, stream: Tensor) -> Tensor:
        """Logits [..., tokens] of a residual stream [..., width], both float32."""
        return nn.functional.linear(self.norm(stream).to(self.weight.dtype), self.weight, self.bias).float()


@dataclass(frozen=True)
class Site:
    """A place to read: token `position` of sequence number `sequence`."""

    sequence: int
    position: int


def anatomy(model: PreTrainedModel) -> Anatomy:
    """Find the parts; an InputError for an architecture without an adapter."""
    kind = model.config.model_type
    if kind not in TRUNK_PARTS:
        raise InputError(f"model type {kind}: no lens for this architecture; there is one for {', '.join(TRUNK_PARTS)}")
    blocks, norm = TRUNK_PARTS[kind]
    trunk = model.base_model
    return Anatomy(trunk, getattr(trunk, blocks), getattr(trunk, norm), model.get_output_embeddings())


@torch.no_grad()
def residual_stream(model: PreTrainedModel, sequences: list[list[int]], sites: list[Site]) -> Iterator[tuple[list[int], Tensor]]:
    """Yield (indices into `sites`, residual stream [sites of this batch, layers + 1, width]) until every site was read once.

    Layer 0 is what enters the first block, layer i what block i adds up to, the last one still before the final norm. The tensors
    have the model's type and device.
    """
    wanted: list[list[int]] = [[] for _ in sequences]
    for index, site in enumerate(sites):
        wanted[site.sequence].append(index)
    for shared, members in group_by_prefix(sequences):
        yield from _read_group(model, sequences, sites, wanted, shared, members)


def _read_group(
    model: PreTrainedModel,
    sequences: list[list[int]],
    sites: list[Site],
    wanted: list[list[int]],
    shared: int,
    members: list[int],
) -> Iterator[tuple[list[int], Tensor]]:
    """Read the wanted sites of sequences that share their first tokens: once of that prefix, then of each one's rest."""
    parts, cache = anatomy(model), DynamicCache(config=model.config) if shared else None

    def prefix(first: list[int]) -> tuple[list[int], Tensor]:
        read = [index for member in members for index in wanted[member] if sites[index].position < shared]
        return read, _forward(parts, [sequences[first[0]][:shared]], [(0, sites[index].position) for index in read], cache)

    def rest(batch: list[int]) -> tuple[list[int], Tensor]:
        read = [index for member in batch for index in wanted[member] if sites[index].position >= shared]
        places = [(batch.index(sites[index].sequence), sites[index].position - shared) for index in read]
        return read, _forward(parts, [sequences[member][shared:] for member in batch], places, _repeat(cache, len(batch)))

    if shared:
        yield from within_memory(prefix, members[:1])
    # The prefix counts as tokens of every row, because each row holds a copy of its cache.
    for batch in by_length([len(sequences[member]) for member in members], tokens_at_once(model)):
        yield from within_memory(rest, [members[number] for number in batch])


def group_by_prefix(sequences: list[list[int]]) -> list[tuple[int, list[int]]]:
    """Split sequences into groups that share a long prefix: (length of the shared prefix, members).

    Neighbours in lexicographic order belong together while the shared part is at least half of each of them. Sequences without
    such a neighbour form one group with prefix 0. A prefix always leaves one token of each member to compute.
    """
    order = sorted(range(len(sequences)), key=sequences.__getitem__)
    runs: list[tuple[int, list[int]]] = []
    for index in order:
        if runs:
            length, members = runs[-1]
            common = _common_prefix(sequences[members[0]][:length], sequences[index][:-1])
            longest = max(len(sequences[member]) for member in (*members, index))
            if common >= max(SHORTEST_PREFIX, longest / 2):
                runs[-1] = (common, [*members, index])
                continue
        runs.append((len(sequences[index]) - 1, [index]))
    alone = [members[0] for _, members in runs if len(members) == 1]
    return [run for run in runs if len(run[1]) > 1] + ([(0, alone)] if alone else [])


def _common_prefix(left: list[int], right: list[int]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right)))


def _repeat(cache: Cache | None, rows: int) -> Cache | None:
    """A cache for `rows` continuations of one prefix; a copy, since a forward pass appends to its cache."""
    if cache is None:
        return None
    cache = copy.deepcopy(cache)
    cache.batch_repeat_interleave(rows)
    return cache


def _forward(parts: Anatomy, rows: list[list[int]], places: list[tuple[int, int]], cache: Cache | None) -> Tensor:
    """Run the trunk over `rows`, behind `cache`, which it extends; keep the stream at `places` (row, column).

    Layers may be on several devices; what is kept goes to that of the unembedding.
    """
    device = parts.unembedding.weight.device
    ids = nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True).to(device)
    row, column = torch.tensor(places, dtype=torch.long).reshape(-1, 2).T
    with _recording(parts.blocks, row, column) as kept:
        parts.trunk(input_ids=ids, past_key_values=cache, use_cache=cache is not None)
    return torch.stack([stream.to(device) for stream in kept], dim=1)


@contextmanager
def _recording(blocks: nn.ModuleList, row: Tensor, column: Tensor) -> Iterator[list[Tensor]]:
    """Collect the stream [places, width] before the first block and after each one, while the context lasts."""
    kept: list[Tensor] = []

    def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        kept.append(inputs[0][row, column])

    def after(_: nn.Module, __: tuple[Tensor, ...], output: Tensor | tuple[Tensor, ...]) -> None:
        kept.append((output if isinstance(output, Tensor) else output[0])[row, column])

    hooks = [blocks[0].register_forward_pre_hook(before), *(block.register_forward_hook(after) for block in blocks)]
    try:
        yield kept
    finally:
        for hook in hooks:
            hook.remove()
