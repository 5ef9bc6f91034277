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
from weakref import WeakSet

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import Cache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from overtime import InputError
from overtime.models.logit_transform import text_config
from overtime.models.prefix_tree import Portion, Segment
from overtime.models.probe import apart, kind_of, logit_transform, probe_text, rounding, somebody_elses_code

_checked: "WeakSet[PreTrainedModel]" = WeakSet()
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
    """Keys and values of one layer, each [slots, heads, width of a head]; a pass sees those that its rows name."""

    rows: Inputs

    def __init__(self, number: int):
        super().__init__()  # type: ignore[no-untyped-call]
        self.number = number
        self.kept: list[Tensor] = []

    def update(self, key_states: Tensor, value_states: Tensor, *_: object, **__: object) -> tuple[Tensor, Tensor]:
        """Keep [rows, heads, new, width]; keys and values [rows, heads, earlier + new, width] of the rows."""
        both = key_states.transpose(1, 2), value_states.transpose(1, 2)
        if not self.kept:
            self.kept = [new.new_zeros(self.number, *new.shape[2:]) for new in both]  # not empty: what pads must be finite
        own, past = self.rows.own.to(key_states.device), self.rows.past.to(key_states.device)
        for kept, new in zip(self.kept, both):
            kept[own] = new
        if not past.shape[1]:
            return key_states, value_states
        seen = torch.cat([past, own], 1)
        keys, values = (kept.index_select(0, seen.flatten()).unflatten(0, seen.shape).transpose(1, 2) for kept in self.kept)
        return keys, values

    def get_seq_length(self) -> int:
        return self.rows.past.shape[1]


class Reader:
    """Runs the trunk of a model over the passes of a portion, in their order, and over `more` tokens after each sequence."""

    def __init__(self, model: PreTrainedModel, portion: Portion, more: int = 0):
        self.transform, self.head = logit_transform(model), model.get_output_embeddings()
        self.trunk, self.device, self.free, self.more = model.base_model, model.device, portion.slots, more
        self.positions = "position_ids" in inspect.signature(self.trunk.forward).parameters  # with ALiBi (BLOOM) none
        branched = any(segment.parent is not None for batch in portion.passes for segment in batch)
        slots = portion.slots + more * sum(1 for _ in portion.lasts())
        number = text_config(model.config).num_hidden_layers
        self.layers = [Slots(slots) for _ in range(number if more or branched else 0)]

    @classmethod
    def of(cls, model: PreTrainedModel, portion: Portion, more: int = 0) -> "Reader":
        """Of a model that was seen to read segments as it reads whole sequences; InputError for any other."""
        reader = cls(model, portion, more)
        if model not in _checked:
            _check(model)
            _checked.add(model)
        return reader

    def read(self, rows: Inputs) -> Tensor:
        """The trunk's last state [rows, new, width]."""
        for layer in self.layers:
            layer.rows = rows
        cache = Cache(layers=[*self.layers]) if self.layers else None
        with _heads_in_groups(self.device.type == "cpu" and rows.ids.shape[1] > 1):
            output = self.trunk(rows.ids, past_key_values=cache, use_cache=cache is not None, **rows.described(self.positions))
        return cast(Tensor, output.last_hidden_state)

    def logits(self, state: Tensor) -> Tensor:
        """Logits [rows, vocabulary], float32, after states [rows, width]."""
        return self.transform(self.head(state.to(self.head.weight.dtype)))

    def following(self, segments: list[Segment], ids: Tensor) -> Inputs:
        """One more token, `ids` [rows, 1], after each segment, in slots that any earlier followers lose."""
        past = pad_sequence([torch.from_numpy(segment.slots) for segment in segments], batch_first=True, padding_side="left")
        own = self.free + self.more * torch.arange(len(segments))[:, None]
        return Inputs(ids, own.to(self.device), past.to(self.device))


def _check(model: PreTrainedModel) -> None:
    """Raise an InputError if a probe text is read otherwise in segments, padded on both sides, than as a whole."""
    name, text = kind_of(model), probe_text(model)[:1]
    with somebody_elses_code(f"{name}: does not keep keys and values as answers and lenses need them"):
        whole, parts = _read_both(model, text)
    if apart(parts, whole) > rounding(parts.dtype):
        raise InputError(f"{name}: reads a text otherwise behind kept keys and values; there are no answers and lenses for it")


@torch.inference_mode()
def _read_both(model: PreTrainedModel, text: Tensor) -> tuple[Tensor, Tensor]:
    """States of some tokens of `text` [1, 8], from reading the whole and from two branches and one more token after each."""
    [ids] = text.tolist()
    start = Segment(ids, 0, 3, None, [], 0, np.arange(1, 4))
    ends = [Segment(ids, 3, 8, start, [0], 1, np.arange(1, 9)), Segment(ids, 0, 4, None, [1], 0, np.arange(9, 13))]
    reader = Reader(model, Portion([[start], ends], 13), 1)
    whole = reader.trunk(text, use_cache=False).last_hidden_state[0]
    [first], both = (reader.read(Inputs.of(batch, reader.device)) for batch in ([start], ends))
    more = reader.read(reader.following([start, ends[1]], text[0, 3:5, None]))
    expected = [whole[:3], whole[3:], whole[:4], whole[3:5]]
    return torch.cat(expected), torch.cat([first, both[0], both[1, :4], more[:, 0]])


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
