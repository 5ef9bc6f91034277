"""Forward passes over segments of sequences: keys and values of every token are kept once, in a slot, and gathered for each row.

The model's own code computes everything. What lies before a row's tokens is padded on the left and the tokens on the right, so that
distances within a row stay those of the sequence, by which rotary positions, ALiBi and local attention go.
"""

import inspect
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import Cache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from overtime.models.prefix_tree import Portion, Segment


@dataclass
class Rows:
    """Rows of a pass: `ids` and their slots `own`, both [rows, new], and the slots of what lies before, `past` [rows, earlier].

    Slot 0 stands for padding, on the right of ids and on the left of past.
    """

    ids: Tensor
    own: Tensor
    past: Tensor

    @classmethod
    def of(cls, segments: list[Segment], device: torch.device) -> "Rows":
        ids = [torch.tensor(segment.sequence[segment.start : segment.stop]) for segment in segments]
        own = [torch.from_numpy(segment.slots[segment.start :]) for segment in segments]
        past = [torch.from_numpy(segment.slots[: segment.start]) for segment in segments]
        left = pad_sequence(past, batch_first=True, padding_side="left")
        return cls(*(rows.to(device) for rows in (pad_sequence(ids, batch_first=True), pad_sequence(own, batch_first=True), left)))

    def __getitem__(self, rows: list[int]) -> "Rows":
        return Rows(self.ids[rows], self.own[rows], self.past[rows])

    def then(self, ids: Tensor) -> "Rows":
        """One more token in each row, in the slot after the last; none may be padded on the right."""
        return Rows(ids, self.own[:, -1:] + 1, torch.cat([self.past, self.own], 1))

    def masks(self, has_positions: bool) -> dict[str, Tensor]:
        """What the model needs to be told: nothing where no row is padded on the left, but positions if it takes them."""
        if not self.past.shape[1]:
            return {}
        here, before = self.own > 0, self.past > 0
        given = {}
        if has_positions:
            column = here.cumsum(1) - 1  # padding stays at the last position, which the model surely has
            given["position_ids"] = before.sum(1, keepdim=True) + column
        if not before.all():
            given["attention_mask"] = torch.cat([before, torch.ones_like(here)], 1).long()
        return given


class Slots(DynamicLayer):
    """Keys and values of one layer, [2, slots, heads, width of a head]; a pass sees those that its rows name."""

    def __init__(self, number: int):
        super().__init__()
        self.number, self.rows, self.kept = number, None, None

    def update(self, key_states: Tensor, value_states: Tensor, *_: object, **__: object) -> tuple[Tensor, Tensor]:
        new = torch.stack((key_states, value_states)).transpose(2, 3)
        if self.kept is None:
            # Zeros, since padding must be finite.
            self.kept = new.new_zeros(2, self.number, *new.shape[3:])
        own, past = self.rows.own.to(new.device), self.rows.past.to(new.device)
        self.kept[:, own] = new
        if not past.shape[1]:
            return key_states, value_states
        seen = torch.cat([past, own], 1)
        return self.kept.index_select(1, seen.flatten()).unflatten(1, seen.shape).transpose(2, 3).unbind()

    def get_seq_length(self) -> int:
        return self.rows.past.shape[1]


class Reader:
    """Runs the trunk of a model over the passes of a portion, in their order, and over `more` tokens after each sequence."""

    def __init__(self, model: PreTrainedModel, portion: Portion, more: int = 0):
        self.trunk, self.device, self.free, self.more = model.base_model, model.device, portion.slots, more
        self.has_positions = "position_ids" in inspect.signature(self.trunk.forward).parameters
        branched = any(segment.parent is not None for batch in portion.passes for segment in batch)
        slots = portion.slots + more * sum(1 for _ in portion.lasts())
        self.layers = [Slots(slots) for _ in range(model.config.num_hidden_layers if more or branched else 0)]

    def read(self, rows: Rows) -> Tensor:
        """The trunk's last state [rows, new, width]."""
        for layer in self.layers:
            layer.rows = rows
        cache = Cache(layers=self.layers) if self.layers else None
        given = rows.masks(self.has_positions)
        return self.trunk(rows.ids, past_key_values=cache, use_cache=bool(self.layers), **given).last_hidden_state

    def following(self, segments: list[Segment], ids: Tensor) -> Rows:
        """One more token `ids` [rows, 1] after each segment; slots of other followers are given anew."""
        past = pad_sequence([torch.from_numpy(segment.slots) for segment in segments], batch_first=True, padding_side="left")
        own = self.free + self.more * torch.arange(len(segments))[:, None]
        return Rows(ids, own.to(self.device), past.to(self.device))
