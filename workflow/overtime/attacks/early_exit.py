"""What an answer read from other layers recovers under attack, and what it costs on clean prompts, against doing nothing.

Every policy answers from the same readouts. What a policy must choose (its exit layer, the weight of its contrast) it chooses on
other prompts: each half of the rotation groups is answered with the choice that was best on the other half, among the choices
that know the task there: nothing is learned from a layer that does not beat chance on clean prompts.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overtime import InputError
from overtime.attacks.few_shot_prompts import ATTACKS
from overtime.attacks.trajectories import NORMAL, Trajectories
from overtime.tables import ABOVE_CHANCE

NOTHING = "final"
# Of the middle layers in the contrast. Among equally good choices the last one counts: 0, the late layers alone.
CONTRAST_WEIGHTS = (2.0, 1.5, 1.0, -1.0, 0.5, -0.5, 0.0)


def defend(layers: pl.DataFrame, task: str, window: tuple[int, int], lens: str = "tuned", seed: int = 0) -> pl.DataFrame:
    """Answer the prompts of a `read_prompts` table that saw `window` = (fewest, most) demonstrations, under every policy.

    Returns `prompt`, `group`, `condition`, `demonstrations`, `task`, `policy`, `layer` (null unless one answers), `correct`.
    Policies: "final" (do nothing), "early_exit" (one layer), "majority" (the most frequent label of the last third of the layers,
    ties by mean probability) and "contrast" ((1 - w) late + w middle, mean log-probabilities of the last and the middle third;
    w < 0 is the contrast of Chuang et al. 2023, arXiv 2309.03883). The best choice has the highest mean of clean accuracy and
    mean accuracy over the kinds of attack, among those whose clean accuracy exceeds chance by `ABOVE_CHANCE`; without any, it is
    the last layer, or the late layers alone. Raises InputError with fewer than two groups, or without clean or attacked prompts.
    """
    read = Trajectories.of(layers, lens, window)
    condition, group = read.answers["condition"].to_numpy(), read.answers["group"].to_numpy()
    groups = np.random.default_rng(seed).permutation(np.unique(group))
    if len(groups) < 2 or not np.isin([NORMAL], condition).all() or not np.isin(condition, ATTACKS).any():
        raise InputError(
            f"task {task!r}: defence needs two groups of prompts or more, with {NORMAL!r} and one of {', '.join(ATTACKS)}"
        )
    truth = np.searchsorted(read.labels, read.answers["truth"].to_numpy())
    half = np.isin(group, groups[: len(groups) // 2])
    enough = 1 / len(read.labels) + ABOVE_CHANCE
    parts = []
    for policy, answers in _answers(read.log_probabilities).items():
        correct = answers == truth[:, None]
        there, here = (_best(correct[part], condition[part], enough) for part in (~half, half))
        choice = np.where(half, there, here)
        layer = {NOTHING: np.full(len(half), read.log_probabilities.shape[1] - 1), "early_exit": choice}.get(policy)
        parts.append(
            read.answers.select(
                "prompt",
                "group",
                "condition",
                "demonstrations",
                task=pl.lit(task),
                policy=pl.lit(policy),
                layer=pl.lit(None, pl.Int64) if layer is None else pl.Series(layer),
                correct=pl.Series(correct[np.arange(len(choice)), choice]),
            )
        )
    return pl.concat(parts)


def _answers(log_probabilities: NDArray[np.float64]) -> dict[str, NDArray[np.intp]]:
    """By policy: the label that each possible choice answers with [answers, choices]."""
    depth, labels = log_probabilities.shape[1:]
    middle, late = (log_probabilities[:, part] for part in (slice(depth // 3, 2 * depth // 3), slice(2 * depth // 3, None)))
    by_layer = log_probabilities.argmax(axis=2)
    # Beside whole votes a mean probability decides ties alone.
    votes = (late.argmax(axis=2)[..., None] == np.arange(labels)).sum(axis=1) + np.exp(late).mean(axis=1)
    contrasts = [((1 - weight) * late.mean(axis=1) + weight * middle.mean(axis=1)).argmax(axis=1) for weight in CONTRAST_WEIGHTS]
    return {
        NOTHING: by_layer[:, -1:],
        "early_exit": by_layer,
        "majority": votes.argmax(axis=1)[:, None],
        "contrast": np.stack(contrasts, axis=1),
    }


def _best(correct: NDArray[np.bool_], condition: NDArray[np.object_], enough: float) -> int:
    """The choice (column) with the highest mean of clean accuracy and mean accuracy under attack; the last one of equals.

    Choices with a clean accuracy of `enough` or less do not count; without others it is the last one.
    """
    clean = correct[condition == NORMAL].mean(axis=0)
    attacked = [correct[condition == attack].mean(axis=0) for attack in ATTACKS if attack in condition]
    # Rounded, since equal means may differ in their last digits.
    worth = np.round((clean + np.mean(attacked, axis=0)) / 2, 9)
    return len(worth) - 1 - int(np.argmax(np.where(clean > enough + 1e-9, worth, -1)[::-1]))
