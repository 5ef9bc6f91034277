"""Token sequences as a tree of segments, so that what several of them begin with is computed once.

The tree is planned in portions whose tokens are all kept until it is read, and a portion in forward passes. A row of a pass is a
segment behind its ancestors: first come those that others follow, by their depth, then the last ones of all sequences together.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, pairwise

import numpy as np
from transformers import PreTrainedModel

from overtime.models.devices import tokens_at_once
from overtime.models.token_batches import context, shared_start

# Sequences share a segment if that saves so many tokens, or never: whichever is cheapest for a portion.
SAVINGS = (4, 16, 64, 256, 1024, None)
# What a token that a row sees, but does not compute, takes of a token's memory and time: it is gathered for a layer at a time.
SEEN_MEMORY, SEEN_TIME = 1 / 8, 1 / 32
CPU_OVERHEAD = 32  # tokens computed in the time in which a pass brings the weights from memory
GPU_OVERHEAD = 256  # the same on a GPU, by its figures: none was at hand
GPU_STARTS = 10**12  # parameters times tokens that a GPU computes while the kernels of a pass are started one by one
CPU_PASSES_KEPT = 4  # the more sequences a portion has, the more are continued together


@dataclass(frozen=True)
class Budget:
    """Tokens that one forward pass may hold and that one portion may keep, what a pass costs besides (in tokens), the context."""

    together: int
    kept: int
    overhead: int
    context: float

    @classmethod
    def of(cls, model: PreTrainedModel) -> "Budget":
        together, longest = tokens_at_once(model), context(model) or float("inf")
        if model.device.type == "cpu":
            return cls(together, CPU_PASSES_KEPT * together, CPU_OVERHEAD, longest)
        return cls(together, together, max(GPU_OVERHEAD, GPU_STARTS // model.num_parameters()), longest)


@dataclass(eq=False)
class Segment:
    """Tokens `start` to `stop` of `sequence`, which follow those of its parent.

    `ends` are the numbers of the sequences that end with it. Token `i` of the sequence is kept in slot `slots[i]`.
    """

    sequence: list[int]
    start: int
    stop: int
    parent: "Segment | None"
    ends: list[int]
    depth: int  # number of ancestors
    slots: np.ndarray = field(default_factory=lambda: np.zeros(0, int))

    @property
    def tokens(self) -> list[int]:
        return self.sequence[self.start : self.stop]

    def place(self, position: int) -> tuple["Segment", int]:
        """The segment up to this one that holds a position of the sequence, and the number of that token in it."""
        segment = self
        while segment.parent is not None and position < segment.start:
            segment = segment.parent
        return segment, position - segment.start


@dataclass(frozen=True)
class Portion:
    """Forward passes in order, and the number of slots; number 0 is none of theirs."""

    passes: list[list[Segment]]
    slots: int

    def lasts(self) -> Iterator[tuple[int, Segment]]:
        """Number of each sequence, and the segment with which it ends."""
        return ((number, segment) for batch in self.passes for segment in batch for number in segment.ends)


def portions(sequences: list[list[int]], budget: Budget, more: int = 0) -> Iterator[Portion]:
    """Plans that together read every sequence, equal ones once, where `more` tokens will follow each."""
    order = sorted(range(len(sequences)), key=sequences.__getitem__)
    common = [0, *(shared_start(sequences[left], sequences[right]) for left, right in pairwise(order))]
    begin = size = 0
    for number, index in enumerate(order):
        new = len(sequences[index]) - common[number] + more
        if size + new > budget.kept and number > begin:
            yield _plan(sequences, order[begin:number], common[begin:number], budget)
            begin, size, new = number, 0, len(sequences[index]) + more
        size += new
    if order:
        yield _plan(sequences, order[begin:], common[begin:], budget)


def _plan(sequences: list[list[int]], order: list[int], common: list[int], budget: Budget) -> Portion:
    """The cheapest portion for some sequences in lexicographic order, of which `common` tokens are those of the one before."""
    plans = [_schedule(_grow(sequences, order, common, saving), budget) for saving in SAVINGS]
    passes = min(plans, key=lambda passes: sum(_cost(batch, budget) for batch in passes))
    free = 1
    for segment in chain.from_iterable(passes):
        own = np.arange(free, free + segment.stop - segment.start)
        segment.slots = own if segment.parent is None else np.concatenate([segment.parent.slots, own])
        free += len(own)
    return Portion(passes, free)


def _grow(sequences: list[list[int]], order: list[int], common: list[int], saving: int | None) -> list[Segment]:
    """Segments, parents first: those that save so many tokens at least, and what is left of each sequence."""
    segments: list[Segment] = []
    runs: list[tuple[int, int, int, Segment | None]] = [(0, len(order), 0, None)]  # sequences of a branch, its start, its parent
    while runs:
        first, after, start, parent = runs.pop()
        sequence = sequences[order[first]]
        stop = min(common[first + 1 : after], default=len(sequence))
        longer = first + sum(len(sequences[index]) == stop for index in order[first:after])  # shorter ones come first
        parts = [first] * (longer > first) + [n for n in range(longer, after) if n == longer or common[n] == stop] + [after]
        branches = list(pairwise(parts))
        if longer < after and (saving is None or (len(branches) - 1) * (stop - start) < saving):
            runs += [(one, other, start, parent) for one, other in branches]
            continue
        depth = 0 if parent is None else parent.depth + 1
        segments.append(Segment(sequence, start, stop, parent, order[first:longer], depth))
        runs += [(one, other, stop, segments[-1]) for one, other in branches if one >= longer]
    return segments


def _schedule(segments: list[Segment], budget: Budget) -> list[list[Segment]]:
    """Batches of segments, each after those of their parents."""
    stood_on = {segment.parent for segment in segments}
    waves: dict[int, list[Segment]] = {}
    for segment in segments:
        waves.setdefault(segment.depth if segment in stood_on else len(segments), []).append(segment)
    return [batch for depth in sorted(waves) for batch in _batches(waves[depth], budget)]


def _batches(segments: list[Segment], budget: Budget) -> Iterator[list[Segment]]:
    """Runs of segments of similar length that fit together and are padded by less than another pass would cost."""
    batch: list[Segment] = []
    past = size = 0
    for segment in sorted(segments, key=lambda segment: (segment.stop - segment.start, segment.start)):
        # In this order the newest row is the longest, to which all are padded.
        new, past, rows = segment.stop - segment.start, max(past, segment.start), len(batch) + 1
        if batch and (rows * new - size - new > budget.overhead or not _fit(rows, new, past, budget)):
            yield batch
            batch, past, size = [], segment.start, 0
        batch.append(segment)
        size += new
    if batch:
        yield batch


def _fit(rows: int, new: int, past: int, budget: Budget) -> bool:
    return rows * new <= budget.together and rows * (new + past) * SEEN_MEMORY <= budget.kept and new + past <= budget.context


def rows_at_once(length: int, budget: Budget) -> int:
    """How many sequences of at most so many tokens can be continued together."""
    return max(1, min(budget.together, int(budget.kept / SEEN_MEMORY / length)))


def _cost(batch: list[Segment], budget: Budget) -> float:
    """In tokens."""
    new, past = max(row.stop - row.start for row in batch), max(row.start for row in batch)
    return budget.overhead + len(batch) * (new + past * SEEN_TIME)
