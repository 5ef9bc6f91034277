"""Forward passes over segments of sequences: keys and values of every token are kept once, in a slot, and gathered for each row.

The model's own code computes everything. What lies before a row's tokens is padded on the left, the tokens on the right: within a
row, distances stay those of the sequence, by which rotary positions, ALiBi and local attention go.
"""

import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import Cache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from overtime.models.prefix_tree import Portion, Segment

GROUPED = "TRANSFORMERS_SDPA_FORCE_GQA"  # read by its attention at every call


@dataclass
class Inputs:
    """Rows of a pass: `ids` and their slots `own`, both [rows, new], and the slots of what lies before, `past` [rows, earlier].

    Slot 0 stands for padding, on the right of ids and on the left of past.
    """

    ids: Tensor
    own: Tensor
    past: Tensor

    @classmethod
    def of(cls, segments: list[Segment], device: torch.device) -> "Inputs":
        ids = pad_sequence([torch.tensor(segment.tokens) for segment in segments], batch_first=True)
        own = pad_sequence([torch.from_numpy(segment.slots[segment.start :]) for segment in segments], batch_first=True)
        past = [torch.from_numpy(segment.slots[: segment.start]) for segment in segments]
        earlier = pad_sequence(past, batch_first=True, padding_side="left")
        return cls(ids.to(device), own.to(device), earlier.to(device))

    def __getitem__(self, rows: list[int]) -> "Inputs":
        return Inputs(self.ids[rows], self.own[rows], self.past[rows])

    def then(self, ids: Tensor) -> "Inputs":
        """One more token, `ids` [rows, 1], in each row, in the slot after its last; no row may be padded on the right."""
        return Inputs(ids, self.own[:, -1:] + 1, torch.cat([self.past, self.own], 1))

    def described(self, positions: bool) -> dict[str, Tensor]:
        """What the model must be told of them: nothing if they begin sequences, a mask if one is padded on the left.

        Without a mask attention is causal, and the padding on the right is seen by itself alone. `positions`: it takes them.
        """
        if not self.past.shape[1]:
            return {}
        here, before, given = self.own > 0, self.past > 0, {}
        if positions:
            # Padding stays at the last position, since the model may have no more.
            given["position_ids"] = before.sum(1, keepdim=True) + here.cumsum(1) - 1
        if not before.all():
            given["attention_mask"] = torch.cat([before, torch.ones_like(here)], 1).long()
        return given


class Slots(DynamicLayer):
    """Keys and values of one layer, [2, slots, heads, width of a head]; a pass sees those that its rows name."""

    rows: Inputs

    def __init__(self, number: int):
        super().__init__()  # type: ignore[no-untyped-call]
        self.number = number
        self.kept: Tensor | None = None

    def update(self, key_states: Tensor, value_states: Tensor, *_: object, **__: object) -> tuple[Tensor, Tensor]:
        """Keep [rows, heads, new, width]; keys and values [rows, heads, earlier + new, width] of the rows."""
        new = torch.stack((key_states, value_states)).transpose(2, 3)
        if self.kept is None:
            self.kept = new.new_zeros(2, self.number, *new.shape[3:])  # not empty: what pads must be finite
        own, past = self.rows.own.to(new.device), self.rows.past.to(new.device)
        self.kept[:, own] = new
        if not past.shape[1]:
            return key_states, value_states
        seen = torch.cat([past, own], 1)
        keys, values = self.kept.index_select(1, seen.flatten()).unflatten(1, seen.shape).transpose(2, 3)
        return keys, values

    def get_seq_length(self) -> int:
        return self.rows.past.shape[1]


class Reader:
    """Runs the trunk of a model over the passes of a portion, in their order, and over `more` tokens after each sequence."""

    def __init__(self, model: PreTrainedModel, portion: Portion, more: int = 0):
        self.trunk, self.device, self.free, self.more = model.base_model, model.device, portion.slots, more
        self.positions = "position_ids" in inspect.signature(self.trunk.forward).parameters  # with ALiBi (BLOOM) none
        branched = any(segment.parent is not None for batch in portion.passes for segment in batch)
        slots = portion.slots + more * sum(1 for _ in portion.lasts())
        self.layers = [Slots(slots) for _ in range(model.config.num_hidden_layers if more or branched else 0)]

    def read(self, rows: Inputs) -> Tensor:
        """The trunk's last state [rows, new, width]."""
        for layer in self.layers:
            layer.rows = rows
        cache = Cache(layers=[*self.layers]) if self.layers else None
        with _heads_in_groups(self.device.type == "cpu" and rows.ids.shape[1] > 1):
            output = self.trunk(rows.ids, past_key_values=cache, use_cache=cache is not None, **rows.described(self.positions))
        return cast(Tensor, output.last_hidden_state)

    def following(self, segments: list[Segment], ids: Tensor) -> Inputs:
        """One more token, `ids` [rows, 1], after each segment, in slots that any earlier followers lose."""
        past = pad_sequence([torch.from_numpy(segment.slots) for segment in segments], batch_first=True, padding_side="left")
        own = self.free + self.more * torch.arange(len(segments))[:, None]
        return Inputs(ids, own.to(self.device), past.to(self.device))


@contextmanager
def _heads_in_groups(wanted: bool) -> Iterator[None]:
    """Let heads share keys as they are: transformers copies them for each head where there is a mask, as GPUs want it.

    On a processor that would take a quarter of a pass behind 300 tokens.
    """
    set_here = wanted and GROUPED not in os.environ
    if set_here:
        os.environ[GROUPED] = "1"
    try:
        yield
    finally:
        if set_here:
            del os.environ[GROUPED]
