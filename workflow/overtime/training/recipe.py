"""What a training run is done with: learning rate and its schedule, batch, precision, and the steps that are kept.

The suite warms up during 5 % of training and decays by a cosine to a tenth.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from overtime.models.vocabulary import PADDING_ID
from overtime.training.token_streams import Stream

WARMUP, FLOOR = 0.05, 0.1


@dataclass(frozen=True)
class Recipe:
    """What a run is trained with, besides its stream and its initial weights."""

    learning_rate: float
    batch: int
    precision: str  # "float32" or "bfloat16" matrix products; weights and optimizer stay in float32
    save_at: tuple[int, ...]  # steps whose weights are kept
    branch_at: tuple[int, ...] = ()  # steps whose optimizer state is kept too, for arms to continue from
    warmup: float = WARMUP  # share of training during which the learning rate rises
    floor: float = FLOOR  # share of the learning rate that is left at the end; 1: it stays
    micro_batch: int | None = None  # sequences that a process computes at once; None: all of its own
    padding: int = PADDING_ID  # token that is not predicted; -100: every token is

    @classmethod
    def of(cls, stream: Stream, options: Mapping[str, Any], precision: str) -> "Recipe":
        """The recipe of a size for a stream: shares of training become steps."""
        steps = save_steps(stream, options["batch"], options["checkpoints"])
        return cls(
            learning_rate=options["learning_rate"],
            batch=options["batch"],
            precision=precision,
            save_at=tuple(steps.values()),
            # Rounded as in the settings: 1 - share is not exact.
            branch_at=tuple(step for share, step in steps.items() if round(share, 9) in options["branch"]),
        )


def schedule(progress: float, warmup: float = WARMUP, floor: float = FLOOR) -> float:
    """Learning rate as a share of its peak, by progress through training in (0, 1]."""
    if progress < warmup:
        return progress / warmup
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


def save_steps(stream: Stream, batch: int, shares: Sequence[float]) -> dict[float, int]:
    """The step of each share of training that lies within the stream, its very end included."""
    begin = stream.first_step / stream.baseline_steps
    length = stream.steps(batch)
    inside = [share for share in shares if share > begin + 1e-9]
    return {share: stream.first_step + round((share - begin) / (1 - begin) * length) for share in inside}
