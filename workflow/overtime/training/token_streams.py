"""Token streams: packing documents into sequences, and the order in which a training run sees them.

An arm differs from the baseline only from its branching step on, so its stream holds that tail alone; the steps before it are
the baseline's own, loaded from the baseline's checkpoint. What an arm does to its documents is not decided here, so that an edit
of how text is rewritten makes that arm again and leaves the baselines alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import polars as pl

from overtime import InputError
from overtime.checksums import check_signature, sign
from overtime.files import atomic
from overtime.models.vocabulary import PADDING_ID, encode


@dataclass(frozen=True)
class Stream:
    """Packed sequences for the steps from `first_step` on."""

    tokens: np.ndarray  # [sequences, context] uint16
    first_step: int
    baseline_steps: int  # of the undisturbed run, which fixes where on the learning-rate schedule this stream begins

    def steps(self, batch: int) -> int:
        """Optimizer steps in the stream; an incomplete last batch is dropped."""
        return len(self.tokens) // batch

    def save(self, path: str | Path) -> None:
        """Write the stream as an npz file, signed."""
        with atomic(path) as temporary:
            with open(temporary, "wb") as file:
                np.savez(file, tokens=self.tokens, steps=[self.first_step, self.baseline_steps])
            sign(temporary)

    @classmethod
    def load(cls, path: str | Path) -> "Stream":
        """Read what `save` wrote; InputError if it is anything else."""
        check_signature(path)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(arrays["tokens"], *map(int, arrays["steps"]))
        except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
            raise InputError(f"{path}: not a token stream ({error}); delete it and run again") from error


def assign_sequences(lengths: list[int], context: int) -> np.ndarray:
    """The sequence that each document goes into: in order, never split, a new sequence when the next one does not fit."""
    places, sequence, used = np.empty(len(lengths), dtype=np.int64), 0, 0
    for i, length in enumerate(lengths):
        if used + length > context:
            sequence, used = sequence + 1, 0
        places[i] = sequence
        used += length
    return places


def pack_sequences(documents: list[list[int]], context: int) -> np.ndarray:
    """Sequences [n, context] of whole documents, padded at the end."""
    places = assign_sequences([len(ids) for ids in documents], context)
    tokens = np.full((places[-1] + 1, context), PADDING_ID, dtype=np.uint16)
    position, current = 0, -1
    for ids, sequence in zip(documents, places):
        position = position if sequence == current else 0
        tokens[sequence, position : position + len(ids)] = ids
        position, current = position + len(ids), sequence
    return tokens


@dataclass(frozen=True)
class TrainingDocuments:
    """Documents in training order with the settings that turn them into steps."""

    texts: list[str]
    tokenizer: Path
    context: int
    batch: int

    @classmethod
    def read(cls, files: Any, options: Any) -> "TrainingDocuments":
        """From a step's named files (`documents`, `tokenizer`) and options (`context`, `batch`)."""
        texts = pl.read_ndjson(files.documents)["text"].to_list()
        return cls(texts, Path(files.tokenizer), options.context, options.batch)

    def baseline(self, shares: Sequence[float] = ()) -> Stream:
        """The undisturbed stream; InputError if it is too short for a step before and after each of these shares of training."""
        tokens = pack_sequences(encode(self.texts, self.tokenizer, self.context), self.context)
        total = len(tokens) // self.batch
        for share in (*shares, 0.5):
            if not 0 < round(share * total) < max(total, 2):
                raise InputError(
                    f"config: suite.batch: the documents fill {total} steps of {self.batch} x {self.context} tokens, too few "
                    f"for a checkpoint after {share:.1%} of training; use a smaller batch or more documents"
                )
        return Stream(tokens, 0, total)

    def branch(self, share: float) -> tuple[int, int, int]:
        """Where the last `share` of training begins: (first document, first step, steps of the baseline)."""
        lengths = [1 + len(text.split()) for text in self.texts]
        places = assign_sequences(lengths, self.context)
        total = int(places[-1] + 1) // self.batch
        first_step = round((1 - share) * total)
        # Documents are never split, so that every step begins with a whole one.
        return int(np.searchsorted(places, first_step * self.batch)), first_step, total

    def tail(self, share: float, change: Callable[[list[str]], list[str]]) -> Stream:
        """The stream of the last `share` (1: everything) after `change` has made other documents of its documents."""
        first, first_step, total = self.branch(share)
        texts = change(self.texts[first:])
        return Stream(pack_sequences(encode(texts, self.tokenizer, self.context), self.context), first_step, total)
