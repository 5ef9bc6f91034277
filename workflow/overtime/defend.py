"""What an answer read from other layers recovers under attack, and what it costs on clean prompts, against doing nothing.

Every policy answers from the same readouts. What a policy must choose (its exit layer, the weight of its contrast) it chooses on
other prompts: each half of the prompts is answered with the choice that was best on the other half.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overtime import InputError
from overtime.detect import NORMAL, Trajectories
from overtime.prompts import ATTACKS
from overtime.stats import bootstrap
from overtime.weighted import mean_of

NOTHING = "final"
# Of the middle layers in the contrast. Among equally good choices the last one counts: 0, the late layers alone.
WEIGHTS = (2.0, 1.5, 1.0, -1.0, 0.5, -0.5, 0.0)


def defend(layers: pl.DataFrame, task: str, window: tuple[int, int], lens: str = "tuned", seed: int = 0) -> pl.DataFrame:
    """Answer the prompts of a `read_prompts` table that saw `window` = (fewest, most) demonstrations, under every policy.

    Returns `prompt`, `task`, `condition`, `demonstrations`, `policy`, `layer` (null unless one layer answers), `correct`.
    Policies: "final" (do nothing), "early_exit" (one layer), "majority" (the most frequent label of the last third of the layers,
    ties by mean probability) and "contrast" ((1 - w) late + w middle, mean log-probabilities of the last and the middle third;
    w < 0 is the contrast of Chuang et al. 2023, arXiv 2309.03883). The best choice has the highest mean of clean accuracy and
    mean accuracy over the kinds of attack. Raises InputError with fewer than two prompts, or without clean or attacked ones.
    """
    read = Trajectories.of(layers, lens, window)
    condition, prompt = read.answers["condition"].to_numpy(), read.answers["prompt"].to_numpy()
    prompts = np.random.default_rng(seed).permutation(np.unique(prompt))
    if len(prompts) < 2 or not np.isin([NORMAL], condition).all() or not np.isin(condition, ATTACKS).any():
        raise InputError(f"task {task!r}: defence needs two prompts or more, with {NORMAL!r} and one of {', '.join(ATTACKS)}")
    truth = np.searchsorted(read.labels, read.answers["truth"].to_numpy())
    half = np.isin(prompt, prompts[: len(prompts) // 2])
    parts = []
    for policy, answers in _answers(read.log_probabilities).items():
        correct = answers == truth[:, None]
        choice = np.where(half, _best(correct[~half], condition[~half]), _best(correct[half], condition[half]))
        layer = {NOTHING: np.full(len(half), read.log_probabilities.shape[1] - 1), "early_exit": choice}.get(policy)
        parts.append(
            read.answers.select(
                "prompt",
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
    votes = (late.argmax(axis=2)[..., None] == np.arange(labels)).sum(axis=1) + np.exp(late).mean(axis=1)
    contrasts = [((1 - weight) * late.mean(axis=1) + weight * middle.mean(axis=1)).argmax(axis=1) for weight in WEIGHTS]
    return {
        NOTHING: by_layer[:, -1:],
        "early_exit": by_layer,
        "majority": votes.argmax(axis=1)[:, None],
        "contrast": np.stack(contrasts, axis=1),
    }


def _best(correct: NDArray[np.bool_], condition: NDArray) -> int:
    """The choice (column) with the highest mean of clean accuracy and mean accuracy under attack; the last one of equals."""
    attacked = [correct[condition == attack].mean(axis=0) for attack in ATTACKS if attack in condition]
    worth = (correct[condition == NORMAL].mean(axis=0) + np.mean(attacked, axis=0)) / 2
    return len(worth) - 1 - int(np.argmax(np.round(worth, 9)[::-1]))


def defence_table(answers: pl.DataFrame, resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """Accuracy of every policy, and its paired change against doing nothing, with intervals over prompts.

    Takes `defend` tables of one or more tasks. Returns `task`, `condition`, `policy`, `measure` ("accuracy", "change"), `y`,
    `lower`, `upper`, `n` (prompts).
    """
    key = ["task", "condition", "prompt", "demonstrations"]
    nothing = answers.filter(pl.col("policy") == NOTHING).select(*key, unchanged="correct")
    paired = answers.join(nothing, on=key).with_columns(pl.col("correct", "unchanged").cast(pl.Float64)).sort("policy", *key)
    rows = []
    for (task, condition, policy), part in paired.group_by("task", "condition", "policy", maintain_order=True):
        measures = {"accuracy": (part["correct"], (0, 1))}
        if policy != NOTHING:
            measures["change"] = (part["correct"] - part["unchanged"], (-1, 1))
        for measure, (values, limits) in measures.items():
            interval = bootstrap(mean_of(values), part["prompt"], resamples, seed, limits).interval()
            row = {"task": task, "condition": condition, "policy": policy, "measure": measure, "y": interval.estimate}
            rows.append(row | {"lower": interval.lower, "upper": interval.upper, "n": interval.n})
    return pl.DataFrame(rows)
