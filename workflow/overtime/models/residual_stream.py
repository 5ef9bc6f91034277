"""The residual stream of a causal language model, at chosen positions only.

Forward passes of the trunk (no unembedding) with hooks that keep the wanted positions. What sequences begin with in common is
computed once.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from overtime.models.anatomy import Anatomy, anatomy, stream_in, stream_out
from overtime.models.devices import within_memory
from overtime.models.prefix_tree import Budget, Segment, portions
from overtime.models.segment_cache import Inputs, Reader


@dataclass(frozen=True)
class Site:
    """A place to read: token `position` of sequence number `sequence`."""

    sequence: int
    position: int


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
        reader, places = Reader.of(model, portion), defaultdict[Segment, list[tuple[int, int]]](list)
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

    def keep(stream: Tensor | None) -> None:
        if stream is not None:  # never: `anatomy` has seen these blocks run
            kept.append(stream[row, column])

    hooks = [blocks[0].register_forward_pre_hook(lambda _, inputs, named: keep(stream_in(inputs, named)), with_kwargs=True)]
    hooks += [block.register_forward_hook(lambda _, __, output: keep(stream_out(output))) for block in blocks]
    try:
        yield kept
    finally:
        for hook in hooks:
            hook.remove()
