"""The tables of fig7_detect and fig7_defend: what attack detectors are worth, and what answering from earlier layers recovers."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overtime.attacks.early_exit import NOTHING
from overtime.attacks.few_shot_prompts import CONTROLS, SUFFIXED
from overtime.files import require_finite, require_unique
from overtime.statistics import Bootstrap, Interval, Statistic, Weights, bootstrap, mean_of
from overtime.tables import interval_columns, interval_rows

FALSE_ALARMS = 0.05  # share of normal prompts that a threshold may flag
BASELINE = "entropy"
ITEM = ["kind", "group", "prompt", "demonstrations"]


def detection_table(scores: pl.DataFrame, resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """What the scores are worth, with intervals over groups: `task`, `detector`, `kind`, `measure`, `y`, `lower`, `upper`, `n`.

    `measure` is "auroc" (a kind of attack against normal prompts), "auroc_benign" and "auroc_named" (an injection against its
    controls), "gain" (AUROC minus that of the final layer's entropy on the same prompts) and "alarms" (share of the kind's
    prompts that score above all but 5 % of the normal ones), each averaged over the seeds of `score_prompts`. Kinds are compared
    at the same numbers of demonstrations.
    """
    require_finite(scores, "scores of detectors")
    require_unique(scores, ["task", "detector", "seed", *ITEM], "scores of detectors")
    rows = []
    for (task, detector), part in scores.group_by("task", "detector", maintain_order=True):
        baseline = scores.filter(pl.col("task") == task, pl.col("detector") == BASELINE)
        # "higher" is a score that was seen: at most this share lies above it.
        limit = pl.col("score").filter(pl.col("kind") == "normal").quantile(1 - FALSE_ALARMS, "higher").over("seed")
        flagged = part.with_columns(above=(pl.col("score") > limit).cast(pl.Float64))
        for (kind,), found in flagged.filter(pl.col("kind") != "normal").group_by("kind", maintain_order=True):
            alarms = bootstrap(mean_of(found["above"]), found["group"], resamples, seed, limits=(0, 1)).interval()
            measures = {"alarms": alarms}
            if found["attack"][0]:
                measures |= _attack_measures(part, baseline, kind, resamples, seed)
            for measure, interval in measures.items():
                row = {"task": task, "detector": detector, "kind": kind, "measure": measure}
                rows.append(row | interval_columns(interval))
    return interval_rows(rows)


def _attack_measures(part: pl.DataFrame, baseline: pl.DataFrame, kind: str, resamples: int, seed: int) -> dict[str, Interval]:
    """AUROC of one detector's rows for a kind of attack, against normal prompts and controls, and the gain over `baseline`."""

    def area(rows: pl.DataFrame, other: str) -> Bootstrap:
        groups, statistic = _area(rows, kind, other)
        return bootstrap(statistic, groups, resamples, seed, limits=(0, 1))

    own = area(part, "normal")
    measures = {"auroc": own.interval(), "gain": own.minus(area(baseline, "normal")).interval()}
    if kind == SUFFIXED:
        measures |= {f"auroc_{name}": area(part, name).interval() for name in CONTROLS if name in part["kind"]}
    return measures


def _area(rows: pl.DataFrame, kind: str, other: str) -> tuple[pl.Series, Statistic]:
    """The groups of one detector's rows, and the AUROC of `kind` against `other` as a statistic of weights of groups.

    The area is a weighted mean over pairs of an attacked and another prompt, so how often the one scores higher is counted once
    for each pair of groups, averaged over seeds.
    """
    at = rows.filter(kind=kind)["demonstrations"].unique()
    shown = rows.filter(pl.col("kind").is_in([kind, other]), pl.col("demonstrations").is_in(at.implode())).sort("seed", *ITEM)
    groups, seeds = shown["group"].unique().sort(), shown.filter(kind=kind)["seed"].n_unique()
    sides = [shown.filter(kind=name) for name in (kind, other)]
    score = [side["score"].to_numpy().reshape(seeds, -1) for side in sides]
    member = [(side["group"].to_numpy()[: len(of[0]), None] == groups.to_numpy()).astype(float) for side, of in zip(sides, score)]
    wins = sum(np.greater.outer(hit, miss) + np.equal.outer(hit, miss) / 2 for hit, miss in zip(*score)) / seeds
    pairs, (hits, misses) = member[0].T @ wins @ member[1], (of.sum(axis=0) for of in member)

    def statistic(weights: Weights) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore"):
            areas: NDArray[np.float64] = ((weights @ pairs) * weights).sum(axis=1) / ((weights @ hits) * (weights @ misses))
        return areas

    return groups, statistic


def defence_table(answers: pl.DataFrame, resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """Accuracy of every policy, and its paired change against doing nothing, with intervals over groups.

    Takes `defend` tables of one or more tasks. Returns `task`, `condition`, `policy`, `measure` ("accuracy", "change"), `y`,
    `lower`, `upper`, `n` (groups).
    """
    key = ["task", "condition", "prompt", "demonstrations"]
    require_unique(answers, [*key, "policy"], "answers of policies")
    nothing = answers.filter(pl.col("policy") == NOTHING).select(*key, unchanged="correct")
    paired = answers.join(nothing, on=key).with_columns(pl.col("correct", "unchanged").cast(pl.Float64)).sort("policy", *key)
    rows = []
    for (task, condition, policy), part in paired.group_by("task", "condition", "policy", maintain_order=True):
        measures = {"accuracy": (part["correct"], (0, 1))}
        if policy != NOTHING:
            measures["change"] = (part["correct"] - part["unchanged"], (-1, 1))
        for measure, (values, limits) in measures.items():
            interval = bootstrap(mean_of(values), part["group"], resamples, seed, limits).interval()
            row = {"task": task, "condition": condition, "policy": policy, "measure": measure}
            rows.append(row | interval_columns(interval))
    return interval_rows(rows)
