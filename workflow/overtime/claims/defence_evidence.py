"""Case study 3, defences: can an attack be told from its trajectory through the layers, and does an early exit avoid it?

Tasks are those on which the attack works (`layer_answers.attacked_tasks`). Scores of detectors are compared within model, task
and seed of folds and forests, then averaged: scores of different models are on different scales.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from overtime.claims.evidence import MissingEvidence, Sample, Tables, array
from overtime.claims.layer_answers import (
    ATTACK,
    NORMAL,
    answers_by_layer,
    attacked_tasks,
    prompt_sample,
    units_of,
)
from overtime.files import require_unique
from overtime.statistics import Statistic, Weights, among, auroc_of

TRAJECTORY_DETECTORS = {"isolation_forest": 0.5, "local_outlier_factor": 0.5}  # of trajectories, none picked
ENTROPY = {"entropy": -1.0}  # of the final layer
CLEAN, NAMED = "normal", "named"  # kinds of prompts: without an attack; with a harmless suffix that names the demanded label
POLICY = "early_exit"


@dataclass(frozen=True)
class ScoredBy:
    """Whose scores are compared: one `seed` of folds and forests (default: all), one draw of rounding `noise` (default: none),
    all but one `wording` of the suffix, all tasks `without` one."""

    seed: int | None = None
    noise: int | None = None
    wording: int | None = None
    without: str | None = None


def detection_gain(
    tables: Tables,
    *,
    kind: str = ATTACK,
    seed: int | None = None,
    noise: int | None = None,
    wording: int | None = None,
    without: str | None = None,
) -> Sample:
    """Measured: AUROC of the trajectory detectors minus that of the final layer's entropy, injected against normal prompts.

    Another `kind`: harmless suffixes, which a detector of attacks should leave alone. The other options are those of `ScoredBy`.
    """
    quantity = f"AUROC of {kind} against normal prompts, layer trajectories minus final entropy"
    chosen = ScoredBy(seed, noise, wording, without)
    return _areas(tables, quantity, TRAJECTORY_DETECTORS | ENTROPY, (kind, CLEAN), chosen)


def detection_beyond_control(
    tables: Tables,
    *,
    seed: int | None = None,
    noise: int | None = None,
    wording: int | None = None,
    without: str | None = None,
) -> Sample:
    """Measured: AUROC of the trajectory detectors for injections against harmless suffixes that name their label, minus 1/2."""
    quantity = "AUROC of layer trajectories, injection against a harmless suffix with its label, above one half"
    chosen = ScoredBy(seed, noise, wording, without)
    return _areas(tables, quantity, TRAJECTORY_DETECTORS, (ATTACK, NAMED), chosen, less=0.5)


def early_exit_gain(tables: Tables, *, wording: int | None = None, without: str | None = None) -> Sample:
    """Measured: accuracy under injection with early exit minus without; the exit layer was chosen on other prompts."""
    wide, note = _policies(tables, ATTACK, wording, without)
    gain = wide.with_columns(value=pl.col(POLICY) - pl.col("final"))
    return prompt_sample("accuracy under injection, early exit minus none", gain, note)


def early_exit_beyond_chance(tables: Tables, *, wording: int | None = None, without: str | None = None) -> Sample:
    """Measured: accuracy under injection with early exit, beyond chance or no exit, whichever is better for the task."""
    wide, note = _policies(tables, ATTACK, wording, without)
    chance = 1 / pl.col("labels")
    better = pl.when(pl.col("final").mean().over("model", "task") > chance).then("final").otherwise(chance)
    gain = wide.with_columns(value=pl.col(POLICY) - better)
    return prompt_sample("accuracy under injection, early exit beyond chance and none", gain, note)


def early_exit_clean(tables: Tables, *, wording: int | None = None, without: str | None = None) -> Sample:
    """Measured: accuracy on clean prompts with early exit minus without: what the defence costs."""
    wide, note = _policies(tables, NORMAL, wording, without)
    cost = wide.with_columns(value=pl.col(POLICY) - pl.col("final"))
    return prompt_sample("accuracy on clean prompts, early exit minus none", cost, note)


def _policies(tables: Tables, condition: str, wording: int | None, without: str | None) -> tuple[pl.DataFrame, str]:
    """A row for each model, task and prompt of the tasks to be judged: correct (0 or 1) without and with early exit, `labels`."""
    answers, note = attacked_tasks(answers_by_layer(tables, None, wording, without))
    kept = answers.select("model", "task", "prompt", "labels").unique()
    columns = ("model", "task", "prompt", "group", "demonstrations", "condition", "policy", "correct")
    scores = tables.read("defend", *columns).filter(pl.col("condition") == condition, pl.col("policy").is_in(["final", POLICY]))
    last = scores.filter(pl.col("demonstrations") == pl.col("demonstrations").max().over("model", "task"))
    wide = last.join(kept, on=["model", "task", "prompt"]).with_columns(pl.col("correct").cast(pl.Float64))
    require_unique(wide, ["model", "task", "prompt", "policy"], "answers of policies")
    if set(wide["policy"]) != {"final", POLICY}:
        raise MissingEvidence("no prompts answered with and without early exit")
    return wide.pivot("policy", index=["model", "task", "prompt", "group", "labels"], values="correct"), note


def _areas(
    tables: Tables,
    quantity: str,
    detectors: dict[str, float],
    kinds: tuple[str, str],
    chosen: ScoredBy,
    less: float = 0.0,
) -> Sample:
    """Weighted sum of the detectors' AUROCs for the first kind of prompts against the second, `less` so much."""
    answers, note = attacked_tasks(answers_by_layer(tables, None, chosen.wording, chosen.without))
    kept = answers.select("model", "task", "group").unique()
    columns = ("model", "task", "prompt", "group", "demonstrations", "kind", "detector", "seed", "score")
    if chosen.noise is None:
        scores = tables.read("detect", *columns)
    else:
        scores = tables.read("noisy_detect", *columns, "draw").filter(draw=chosen.noise)
    scores = scores.filter(pl.col("detector").is_in(list(detectors)), pl.col("kind").is_in(kinds))
    attacked = scores.filter(kind=kinds[0]).select("model", "task", "demonstrations").unique()
    scores = scores.join(attacked, on=attacked.columns, how="semi").join(kept, on=kept.columns, how="semi")
    if chosen.seed is not None:
        scores = scores.filter(seed=chosen.seed)
    if not set(detectors) <= set(scores["detector"]) or set(scores["kind"]) != set(kinds):
        raise MissingEvidence(f"no {' and '.join(kinds)} prompts scored by {', '.join(detectors)}")
    items = (
        scores.select("task", "group", "prompt", "kind").unique().sort("task", "group", "prompt", "kind").with_row_index("item")
    )
    scores = scores.join(items, on=["task", "group", "prompt", "kind"])
    runs = {
        str(model): [_mean_area(own, detectors, kinds[0], len(items), less)]
        for (model,), own in scores.sort("model", "task", "seed", "detector", "item").group_by("model", maintain_order=True)
    }
    return Sample(quantity, units_of(items), runs, note=note)


def _mean_area(scores: pl.DataFrame, detectors: dict[str, float], attack: str, items: int, less: float) -> Statistic:
    cells = scores.group_by("task", "seed", "detector", maintain_order=True).agg("item", "score", pl.col("kind") == attack)
    areas, signs = [], [detectors[name] for name in cells["detector"]]
    for item, score, attacked in cells.select("item", "score", "kind").iter_rows():
        order = np.array(item)
        if len(set(item)) != len(item) or order.max() >= items:
            raise MissingEvidence("prompts were scored after several numbers of demonstrations")
        areas.append(among(auroc_of(array(pl.DataFrame({"score": score}), "score"), np.array(attacked)), order))
    number = cells.select("task", "seed").n_unique()

    def mean(weights: Weights) -> np.ndarray:
        total: np.ndarray = np.sum([sign * area(weights) for sign, area in zip(signs, areas, strict=True)], axis=0)
        return total / number - less

    return mean
