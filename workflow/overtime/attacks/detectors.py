"""Can an attack be told from normal prompts by how the answer forms, layer by layer? Detectors, and the baselines they must beat.

Anomaly detectors on prediction trajectories follow Belrose et al. 2023 (arXiv 2303.08112): fitted on normal prompts only. The
baselines need no trajectory: entropy and margin of the final layer's label probabilities. No detector scores a prompt it was
fitted on, in any condition.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from overtime import InputError
from overtime.attacks.few_shot_prompts import ATTACKS

NORMAL = "true"
FOLDS, NEIGHBOURS, PENALTY = 5, 20, 0.1


@dataclass(frozen=True)
class Trajectories:
    """How answers form: `answers` (`prompt`, `condition`, `demonstrations`, `truth`) and, for each row, its log-probabilities.

    `log_probabilities` [answers, layers + 1, labels] are natural logs, normalised over the labels; `labels` names the last axis.
    """

    answers: pl.DataFrame
    log_probabilities: NDArray[np.float64]
    labels: list[str]

    @classmethod
    def of(cls, layers: pl.DataFrame, lens: str, window: tuple[int, int]) -> "Trajectories":
        """The answers of a `read_prompts` table that one lens read after `window` = (fewest, most) demonstrations."""
        table = layers.filter(
            pl.col("lens") == lens, pl.col("demonstrations").is_between(*window), pl.col("condition") != "zero_shot"
        )
        if table.is_empty():
            raise InputError(f"layers table: no prompt read by the {lens} lens after {window[0]} to {window[1]} demonstrations")
        key = ["prompt", "condition", "demonstrations", "truth"]
        table = table.sort(*key, "layer", "label")
        answers, labels = table.select(key).unique(maintain_order=True), table["label"].unique().sort().to_list()
        logits = table["logit"].to_numpy().astype(float).reshape(answers.height, -1, len(labels))
        return cls(answers, log_softmax(logits, axis=2), labels)

    def __getitem__(self, rows: NDArray[np.integer]) -> "Trajectories":
        return Trajectories(self.answers[rows], self.log_probabilities[rows], self.labels)

    def features(self) -> NDArray[np.float64]:
        """[answers, 4 (layers + 1)]: at every layer, log-probabilities of its two best labels and of the two best at the end.

        Ranked, not named, so that answers with any label and from any task can be compared.
        """
        own = -np.sort(-self.log_probabilities, axis=2)[:, :, :2]
        final = np.argsort(-self.log_probabilities[:, -1], axis=1)[:, None, :2]
        return np.concatenate([own, np.take_along_axis(self.log_probabilities, final, axis=2)], axis=2).reshape(len(own), -1)


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
        parts += [_score(own[fitting], own[scored], "normal", seed).with_columns(task=pl.lit(task)) for fitting, scored in folds]
        for name, other in read.items():
            if name != task:
                normal = other[np.flatnonzero(other.answers["condition"] == NORMAL)]
                parts.append(_score(own, normal, f"shift:{name}", seed).with_columns(task=pl.lit(task)))
    return pl.concat(parts).select("prompt", "demonstrations", "task", "detector", "attack", "kind", "score")


def _score(fitting: Trajectories, scored: Trajectories, normal: str, seed: int) -> pl.DataFrame:
    """Fit on one set of answers, score another; `normal` names the kind of the scored normal prompts."""
    condition = fitting.answers["condition"].to_numpy()
    features, attack = fitting.features(), np.isin(condition, ATTACKS)
    usual, probe_rows = features[condition == NORMAL], attack | (condition == NORMAL)
    forest = make_pipeline(StandardScaler(), IsolationForest(random_state=seed)).fit(usual)
    outlier = make_pipeline(StandardScaler(), LocalOutlierFactor(min(NEIGHBOURS, len(usual) - 1), novelty=True)).fit(usual)
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=1000))
    probe.fit(features[probe_rows], attack[probe_rows])
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
