"""The tables of fig7_detect and fig7_defend: what attack detectors are worth, and what answering from earlier layers recovers."""

import polars as pl

from overtime.attacks.early_exit import NOTHING
from overtime.files import require_finite, require_unique
from overtime.statistics import Bootstrap, Interval, auroc_of, bootstrap, mean_of
from overtime.tables import interval_columns, interval_rows

FALSE_ALARMS = 0.05  # share of normal prompts that a threshold may flag
BASELINE = "entropy"


def detection_table(scores: pl.DataFrame, resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """What the scores are worth, with intervals over prompts: `task`, `detector`, `kind`, `measure`, `y`, `lower`, `upper`, `n`.

    `measure` is "auroc" (a kind of attack against normal prompts), "auroc_benign" (an injection against its benign control),
    "gain" (AUROC minus that of the final layer's entropy on the same prompts) and "alarms" (share of the kind's prompts that
    score above all but 5 % of the normal ones). Kinds are compared at the same numbers of demonstrations.
    """
    require_finite(scores, "scores of detectors")
    require_unique(scores, ["task", "detector", "kind", "prompt", "demonstrations"], "scores of detectors")
    rows = []
    for (task, detector), part in scores.group_by("task", "detector", maintain_order=True):
        baseline = scores.filter(pl.col("task") == task, pl.col("detector") == BASELINE)
        normal = part.filter(pl.col("kind") == "normal")
        # "higher" is a score that was seen: at most this share lies above it.
        threshold = normal["score"].quantile(1 - FALSE_ALARMS, "higher")
        for (kind,), found in part.filter(pl.col("kind") != "normal").group_by("kind", maintain_order=True):
            alarms = bootstrap(mean_of(found["score"] > threshold), found["prompt"], resamples, seed, limits=(0, 1)).interval()
            measures = {"alarms": alarms}
            if found["attack"][0]:
                measures |= _attack_measures(part, baseline, kind, resamples, seed)
            for measure, interval in measures.items():
                row = {"task": task, "detector": detector, "kind": kind, "measure": measure}
                rows.append(row | interval_columns(interval))
    return interval_rows(rows)


def _attack_measures(part: pl.DataFrame, baseline: pl.DataFrame, kind: str, resamples: int, seed: int) -> dict[str, Interval]:
    """AUROC of one detector's rows for a kind of attack, against normal and benign prompts, and the gain over `baseline`."""
    key = ["kind", "prompt", "demonstrations"]
    both = part.join(baseline.select(*key, entropy="score"), on=key)
    at = both.filter(pl.col("kind") == kind)["demonstrations"].unique()
    against = {
        other: both.filter(pl.col("kind").is_in([kind, other]), pl.col("demonstrations").is_in(at.implode())).sort(key)
        for other in ("normal", "benign")
    }

    def area(other: str, score: str) -> Bootstrap:
        rows = against[other]
        return bootstrap(auroc_of(rows[score], rows["attack"]), rows["prompt"], resamples, seed, limits=(0, 1))

    own = area("normal", "score")
    measures = {"auroc": own.interval(), "gain": own.minus(area("normal", "entropy")).interval()}
    if kind == "injection" and "benign" in against["benign"]["kind"]:
        measures["auroc_benign"] = area("benign", "score").interval()
    return measures


def defence_table(answers: pl.DataFrame, resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """Accuracy of every policy, and its paired change against doing nothing, with intervals over prompts.

    Takes `defend` tables of one or more tasks. Returns `task`, `condition`, `policy`, `measure` ("accuracy", "change"), `y`,
    `lower`, `upper`, `n` (prompts).
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
            interval = bootstrap(mean_of(values), part["prompt"], resamples, seed, limits).interval()
            row = {"task": task, "condition": condition, "policy": policy, "measure": measure}
            rows.append(row | interval_columns(interval))
    return interval_rows(rows)
