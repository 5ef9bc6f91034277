"""Can an attack be told from normal prompts by how the answer forms, layer by layer? Detectors, and the baselines they must beat.

Anomaly detectors on prediction trajectories follow Belrose et al. 2023 (arXiv 2303.08112): fitted on normal prompts only. Two
probes have seen attacks: one beside normal prompts, one beside the controls with a harmless suffix. The baselines need no
trajectory: entropy and margin of the final layer's label probabilities. No detector scores a prompt that shares its layout or
the wording of its suffix with one it was fitted on, in any condition. Folds and forests are drawn again for every seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from overtime import InputError
from overtime.attacks.few_shot_prompts import ATTACKS, CONTROLS, SUFFIXED
from overtime.attacks.trajectories import NORMAL, Trajectories

FOLDS, NEIGHBOURS, PENALTY = 5, 20, 0.1
SEEDS, TREES_OF_FOREST = 10, 40  # areas are averaged over all seeds: 400 trees
LOGIT_NOISE, NOISE_DRAWS = 1e-6, 10  # nats: what float32 leaves of logits near 10
# Nats: a feature that varies less among normal prompts is constant but for rounding, which a scaler blows up.
LEAST_SPREAD = 0.001


@dataclass(frozen=True)
class _Fitted:
    """Detectors by name; those of what is usual score it high. `used`: the features that vary; others count as 0."""

    used: NDArray[np.bool_]
    usual: dict[str, Pipeline]
    probes: dict[str, Pipeline]


def score_prompts(
    tasks: dict[str, pl.DataFrame], window: tuple[int, int], lens: str = "tuned", seed: int = 0, seeds: int = SEEDS
) -> pl.DataFrame:
    """Score the prompts of several tasks (name -> `read_prompts` table) with every detector; higher is more attack-like.

    Returns `prompt`, `group`, `demonstrations`, `task`, `detector`, `seed`, `attack`, `kind`, `score`. `kind` is "normal" (true
    demonstrations), the name of the attack or of a control, or "shift:NAME": normal prompts of the task NAME before the detectors
    of `task`, once. Prompts of `task` are scored in folds of rotation groups, by detectors fitted on the other folds' prompts;
    `seed` numbers the draws of folds and forests. Raises InputError for a task without normal or without attacked prompts.
    """
    read = {task: Trajectories.of(layers, lens, window) for task, layers in tasks.items()}
    parts = []
    for task, own in read.items():
        conditions = set(own.answers["condition"])
        if NORMAL not in conditions or not conditions & set(ATTACKS):
            needed = f"detection needs {NORMAL!r} and one of {', '.join(ATTACKS)}"
            raise InputError(f"task {task!r}: conditions {', '.join(sorted(conditions))}; {needed}")
        others = {name: other for name, other in read.items() if name != task}
        for number in range(seeds):
            for table in _scored(task, own, others if number == 0 else {}, seed + number):
                parts.append(table.with_columns(task=pl.lit(task), seed=pl.lit(number)))
    return pl.concat(parts).select("prompt", "group", "demonstrations", "task", "detector", "seed", "attack", "kind", "score")


def score_with_noise(
    tasks: dict[str, pl.DataFrame], window: tuple[int, int], lens: str = "tuned", seed: int = 0, seeds: int = SEEDS
) -> pl.DataFrame:
    """As `score_prompts`, after normal noise of `LOGIT_NOISE` on every logit, as of another processor; `draw` counts draws."""
    parts = []
    for draw in range(NOISE_DRAWS):
        random = np.random.default_rng([seed, draw])
        noise = {task: random.normal(0, LOGIT_NOISE, layers.height) for task, layers in tasks.items()}
        noisy = {task: layers.with_columns(pl.col("logit") + noise[task]) for task, layers in tasks.items()}
        parts.append(score_prompts(noisy, window, lens, seed, seeds).with_columns(draw=pl.lit(draw)))
    return pl.concat(parts)


def _scored(task: str, own: Trajectories, others: dict[str, Trajectories], seed: int) -> Iterator[pl.DataFrame]:
    """Scores of a task's prompts, and of other tasks' normal ones, for one draw of folds and forests."""
    groups = own.answers["group"].to_numpy()
    folds = GroupKFold(min(FOLDS, len(np.unique(groups))), shuffle=True, random_state=seed).split(groups, groups=groups)
    for fitting, scored in folds:
        yield _score(_fit(task, own[fitting], seed), own[scored], "normal")
    if others:
        fitted = _fit(task, own, seed)
        for name, other in others.items():
            normal = other[np.flatnonzero(other.answers["condition"] == NORMAL)]
            yield _score(fitted, normal, f"shift:{name}")


def _fit(task: str, fitting: Trajectories, seed: int) -> _Fitted:
    """A forest and an outlier factor of the normal answers, a probe of attacks among all, one of injections among suffixes."""
    condition = fitting.answers["condition"].to_numpy()
    features, attack, normal = fitting.features(), np.isin(condition, ATTACKS), condition == NORMAL
    # A layer that says the same to all prompts still tells the final answer by which of its labels won there.
    knows = fitting.log_probabilities[normal, 1:].std(axis=0).max(axis=1) >= LEAST_SPREAD
    used = (features[normal].std(axis=0) >= LEAST_SPREAD) & np.repeat(knows, features.shape[1] // len(knows))
    features *= used
    anomaly = {
        "isolation_forest": IsolationForest(n_estimators=TREES_OF_FOREST, random_state=seed),
        "local_outlier_factor": LocalOutlierFactor(min(NEIGHBOURS, int(normal.sum()) - 1), novelty=True),
    }
    among = {"probe": attack | normal}
    if SUFFIXED in condition and np.isin(condition, CONTROLS).any():
        among["probe_benign"] = (condition == SUFFIXED) | np.isin(condition, CONTROLS)

    def probe(rows: NDArray[np.bool_]) -> Pipeline:
        model = LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=1000)
        return make_pipeline(StandardScaler(), model).fit(features[rows], attack[rows])

    usual = {name: make_pipeline(StandardScaler(), model).fit(features[normal]) for name, model in anomaly.items()}
    return _Fitted(used, usual, {name: probe(rows) for name, rows in among.items()})


def _score(fitted: _Fitted, scored: Trajectories, normal: str) -> pl.DataFrame:
    """Score answers with what was fitted on others; `normal` names the kind of the normal prompts among them."""
    seen, final = scored.features() * fitted.used, np.sort(scored.log_probabilities[:, -1], axis=1)
    scores = {name: -model.score_samples(seen) for name, model in fitted.usual.items()}
    scores |= {name: model.decision_function(seen) for name, model in fitted.probes.items()}
    scores |= {"entropy": -(np.exp(final) * final).sum(axis=1), "margin": final[:, -2] - final[:, -1]}
    kind = scored.answers["condition"].replace(NORMAL, normal)
    table = scored.answers.select("prompt", "group", "demonstrations", attack=kind.is_in(ATTACKS), kind=kind)
    return table.with_columns(**scores).unpivot(list(scores), index=table.columns, variable_name="detector", value_name="score")
