"""The residual stream of a causal language model, at chosen positions only, and its readout into logits.

Forward passes of the trunk (no unembedding) with hooks that keep the wanted positions. What sequences begin with in common is
computed once.
"""

import copy
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from accelerate.hooks import remove_hook_from_module
from torch import Tensor, nn
from transformers import PreTrainedModel

from overtime import InputError
from overtime.models.devices import within_memory
from overtime.models.prefix_tree import Budget, Segment, portions
from overtime.models.segment_cache import Inputs, Reader

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
    parts, wanted = anatomy(model), defaultdict[int, list[int]](list)
    for index, site in enumerate(sites):
        wanted[site.sequence].append(index)
    for portion in portions(sequences, Budget.of(model)):
        reader, places = Reader(model, portion), defaultdict[Segment, list[tuple[int, int]]](list)
        for sequence, last in portion.lasts():
            for index in wanted[sequence]:
                segment, column = last.place(sites[index].position)
                places[segment].append((index, column))
        for batch in portion.passes:
            yield from within_memory(partial(_read, reader, parts, places), batch)


def _read(
    reader: Reader, parts: Anatomy, places: dict[Segment, list[tuple[int, int]]], batch: list[Segment]
) -> tuple[list[int], Tensor]:
    """Indices of the sites in a batch of segments, of which `places` are indices and columns, and the stream there.

    Layers may be on several devices; what is kept goes to that of the unembedding.
    """
    found = [(index, row, column) for row, segment in enumerate(batch) for index, column in places[segment]]
    index, row, column = torch.tensor(found, dtype=torch.long).reshape(-1, 3).T
    with _recording(parts.blocks, row, column) as kept:
        reader.read(Inputs.of(batch, reader.device))
    return index.tolist(), torch.stack([stream.to(parts.unembedding.weight.device) for stream in kept], dim=1)


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
