"""Can an attack be told from normal prompts by how the answer forms, layer by layer? Detectors, and the baselines they must beat.

Anomaly detectors on prediction trajectories follow Belrose et al. 2023 (arXiv 2303.08112): fitted on normal prompts only. The
baselines need no trajectory: entropy and margin of the final layer's label probabilities. No detector scores a prompt it was
fitted on, in any condition.
"""

import numpy as np
import polars as pl
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from overtime import InputError
from overtime.attacks.few_shot_prompts import ATTACKS
from overtime.attacks.trajectories import NORMAL, Trajectories

FOLDS, NEIGHBOURS, PENALTY = 5, 20, 0.1


def score_prompts(tasks: dict[str, pl.DataFrame], window: tuple[int, int], lens: str = "tuned", seed: int = 0) -> pl.DataFrame:
    """Score the prompts of several tasks (name -> `read_prompts` table) with every detector; higher is more attack-like.

    Returns `prompt`, `demonstrations`, `task`, `detector`, `attack`, `kind`, `score`. `kind` is "normal" (true demonstrations),
    the name of the attack, "benign", or "shift:NAME": normal prompts of the task NAME before the detectors of `task`. Prompts of
    `task` are scored in folds, by detectors fitted on the other folds' prompts. Raises InputError for a task without normal or
    without attacked prompts.
    """
    read = {task: Trajectories.of(layers, lens, window) for task, layers in tasks.items()}
    parts = []
    for task, own in read.items():
        conditions = set(own.answers["condition"])
        if NORMAL not in conditions or not conditions & set(ATTACKS):
            needed = f"detection needs {NORMAL!r} and one of {', '.join(ATTACKS)}"
            raise InputError(f"task {task!r}: conditions {', '.join(sorted(conditions))}; {needed}")
        groups = own.answers["prompt"].to_numpy()
        folds = GroupKFold(min(FOLDS, len(np.unique(groups))), shuffle=True, random_state=seed).split(groups, groups=groups)
        scores = [_score(_fit(own[fitting], seed), own[scored], "normal") for fitting, scored in folds]
        if others := {name: other for name, other in read.items() if name != task}:
            fitted = _fit(own, seed)
            for name, other in others.items():
                normal = other[np.flatnonzero(other.answers["condition"] == NORMAL)]
                scores.append(_score(fitted, normal, f"shift:{name}"))
        parts += [table.with_columns(task=pl.lit(task)) for table in scores]
    return pl.concat(parts).select("prompt", "demonstrations", "task", "detector", "attack", "kind", "score")


def _fit(fitting: Trajectories, seed: int) -> list[Pipeline]:
    """A forest and an outlier factor of the normal answers, and a probe of attacks among all."""
    condition = fitting.answers["condition"].to_numpy()
    features, attack = fitting.features(), np.isin(condition, ATTACKS)
    usual, probe_rows = features[condition == NORMAL], attack | (condition == NORMAL)
    forest = make_pipeline(StandardScaler(), IsolationForest(random_state=seed)).fit(usual)
    outlier = make_pipeline(StandardScaler(), LocalOutlierFactor(min(NEIGHBOURS, len(usual) - 1), novelty=True)).fit(usual)
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=1000))
    return [forest, outlier, probe.fit(features[probe_rows], attack[probe_rows])]


def _score(fitted: list[Pipeline], scored: Trajectories, normal: str) -> pl.DataFrame:
    """Score answers with what was fitted on others; `normal` names the kind of the normal prompts among them."""
    forest, outlier, probe = fitted
    seen, final = scored.features(), np.sort(scored.log_probabilities[:, -1], axis=1)
    scores = {
        # scikit-learn's scores are higher for what is usual.
        "isolation_forest": -forest.score_samples(seen),
        "local_outlier_factor": -outlier.score_samples(seen),
        "probe": probe.decision_function(seen),
        "entropy": -(np.exp(final) * final).sum(axis=1),
        "margin": final[:, -2] - final[:, -1],
    }
    kind = scored.answers["condition"].replace(NORMAL, normal)
    table = scored.answers.select("prompt", "demonstrations", attack=kind.is_in(ATTACKS), kind=kind)
    return table.with_columns(**scores).unpivot(list(scores), index=table.columns, variable_name="detector", value_name="score")
