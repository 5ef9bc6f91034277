"""Case study 3: persona prompts, and what an attack does layer by layer.

The attack is the explicit prompt injection; the prompt is the unit, shared by conditions, layers and models. The released curves
have false demonstrations in place of an injection (GPT-J, the `unnatural` task, all demonstrations, calibrated accuracy): the
closest published match to what the talk shows. Accuracy at the last layer is the model's own; earlier layers are read through the
tuned lens where there is one.
"""

from typing import cast

import numpy as np
import polars as pl

from overtime.claims.evidence import DIFFERENCE, SHARE, Aggregate, MissingEvidence, Sample, Tables, array, paired
from overtime.statistics import Statistic, Weights, among, auroc_of, mean_of
from overtime.tables import PERSONA_GROUPS

ATTACK, NORMAL, CONTROL = "injection", "true", "benign"
TRAJECTORY_DETECTORS = ("isolation_forest", "local_outlier_factor")
FINAL_BASELINE = "entropy"  # of the final layer
LAST_COUPLE = 2  # "the last couple of layers"
SUCCESS = 0.05  # an attack that costs less than the smallest effect of interest says nothing about where attacks take hold
AT_END = pl.col("layer") == pl.col("depth")


def persona_shift(tables: Tables) -> Sample:
    """Measured: shift of log P(Yes) - log P(No) from the benign to the conspiratorial persona, on conspiracies beyond controls.

    Controls are claims that are plainly true or plainly false, each half of the comparison: a persona that merely makes the model
    say yes moves them as well. Units are the project's own claims, averaged over models; TruthfulQA's are left out, so that the
    verdict does not depend on which files could be had.
    """
    scores = tables.read("persona", "claim", "group", "condition", "log_odds").filter(pl.col("group").is_in(PERSONA_GROUPS))
    sides = (scores.filter(pl.col("condition") == name) for name in ("persona", "benign"))
    persona, benign = (side.group_by("claim", "group").agg(pl.mean("log_odds")) for side in sides)
    both = paired(persona.sort("group", "claim"), benign, ["claim", "group"], "log_odds")
    shift = array(both, "log_odds") - array(both, "other")
    groups = {name: np.flatnonzero(both["group"] == name) for name in PERSONA_GROUPS}
    if empty := [name for name, rows in groups.items() if not len(rows)]:
        raise MissingEvidence(f"no claims of the group {', '.join(empty)} under a persona and a benign persona")
    conspiracy, true, false = (among(mean_of(shift[rows]), rows) for rows in groups.values())

    def beyond_controls(weights: Weights) -> np.ndarray:
        return conspiracy(weights) - (true(weights) + false(weights)) / 2

    quantity = "log-odds shift to Yes by the persona beyond a benign one, conspiracies beyond controls"
    return Sample(
        quantity, "claims", beyond_controls, both.select(pl.concat_str("group", "claim", separator="/")).to_series().to_numpy()
    )


def _accuracy(tables: Tables) -> pl.DataFrame:
    """Is the top label right? One row per model, task, prompt, condition, layer, after the most demonstrations.

    Columns `depth` (last layer of the model), `unit` (task and prompt), `correct` (0 or 1).
    """
    layers = tables.read(
        "layers", "model", "task", "prompt", "condition", "demonstrations", "lens", "layer", "label", "logit", "truth"
    )
    read = ["model", "task", "prompt", "condition", "layer"]
    best = pl.col("label").sort_by("logit", descending=True).first() == pl.col("truth").first()
    last, most = pl.col("layer").max().over("model"), pl.col("demonstrations").max().over("model", "task")
    tuned = pl.col("lens").max().over("model", "task")  # "tuned" sorts after "logit"
    lens = pl.when(pl.col("layer") == pl.col("depth")).then(pl.lit("logit")).otherwise(tuned)
    rows = layers.with_columns(last.alias("depth")).filter(
        pl.col("condition").is_in([ATTACK, NORMAL]), pl.col("demonstrations") == most, pl.col("lens") == lens
    )
    if ATTACK not in rows["condition"] or NORMAL not in rows["condition"]:
        raise MissingEvidence("no prompts with an injection beside the same prompts without it")
    result = rows.group_by(*read, "depth").agg(best.cast(pl.Float64).alias("correct"))
    return result.with_columns(pl.concat_str("task", "prompt", separator="/").alias("unit")).sort(read)


def _wide(accuracy: pl.DataFrame, **parts: tuple[str, pl.Expr]) -> pl.DataFrame:
    """One row per model and prompt; each part is (condition, which layer) and becomes a column of `correct`."""
    key = ["model", "unit"]
    wide = accuracy.select(*key, "task", "prompt").unique()
    for name, (condition, layer) in parts.items():
        rows = accuracy.filter(pl.col("condition") == condition, layer)
        wide = wide.join(rows.select(*key, pl.col("correct").alias(name)), on=key)
    if not len(wide):
        raise MissingEvidence("no prompt was read under both conditions at the layers compared")
    return wide.sort(key)


def _successful(accuracy: pl.DataFrame) -> pl.DataFrame:
    """The table itself, or `MissingEvidence` if the attack hardly lowers the accuracy of the output."""
    final = (accuracy.filter(AT_END, pl.col("condition") == name)["correct"] for name in (NORMAL, ATTACK))
    normal, attacked = (cast(float, correct.mean()) for correct in final)
    if normal - attacked < SUCCESS:
        raise MissingEvidence(f"the injection hardly lowers final accuracy here ({normal:.2f} without, {attacked:.2f} with it)")
    return accuracy


def attacked_final(tables: Tables) -> Sample:
    """Measured: accuracy of the model's own output under the injection."""
    wide = _wide(_accuracy(tables), attacked=(ATTACK, AT_END))
    return Sample("final accuracy under injection", "prompts", mean_of(array(wide, "attacked")), wide["unit"].to_numpy(), SHARE)


def early_recovery(tables: Tables) -> Sample:
    """Measured: accuracy under attack at the best layer of the upper half, above the midpoint of final attacked and final normal.

    Positive if that layer keeps more than half of what the attack takes from the output. The layer is chosen on the prompts with
    even numbers for those with odd numbers and the other way round, so it is never chosen on the prompts it is scored on.
    """
    accuracy = _successful(_accuracy(tables)).with_columns((pl.col("prompt") % 2).alias("fold"))
    upper = (pl.col("condition") == ATTACK) & (pl.col("layer") * 2 >= pl.col("depth")) & ~AT_END
    means = accuracy.filter(upper).group_by("model", "task", "fold", "layer").agg(pl.mean("correct"))
    chosen = (
        means.sort("correct", "layer").group_by("model", "task", "fold", maintain_order=True).agg(pl.last("layer").alias("exit"))
    )
    exits = chosen.with_columns((1 - pl.col("fold")).alias("fold"))
    parts = {"early": (ATTACK, pl.col("layer") == pl.col("exit")), "attacked": (ATTACK, AT_END), "normal": (NORMAL, AT_END)}
    wide = _wide(accuracy.join(exits, on=["model", "task", "fold"]), **parts)
    above = array(wide, "early") - (array(wide, "attacked") + array(wide, "normal")) / 2
    return Sample(
        "early-layer accuracy under injection above half-way", "prompts", mean_of(above), wide["unit"].to_numpy(), DIFFERENCE
    )


def damage_before_end(tables: Tables) -> Sample:
    """Measured: accuracy lost to the injection two layers before the last one; none if only the last couple of layers matter."""
    before = pl.col("layer") == pl.col("depth") - LAST_COUPLE
    wide = _wide(_successful(_accuracy(tables)), normal=(NORMAL, before), attacked=(ATTACK, before))
    lost = mean_of(array(wide, "normal") - array(wide, "attacked"))
    return Sample("accuracy lost two layers before the last", "prompts", lost, wide["unit"].to_numpy(), DIFFERENCE)


def detection_gain(tables: Tables) -> Sample:
    """Measured: AUROC of the trajectory detectors (mean of the two, none picked) minus that of the final layer's entropy.

    Injected against normal prompts after as many demonstrations, within model and task, then averaged: scores of different models
    are on different scales.
    """
    weights = {**dict.fromkeys(TRAJECTORY_DETECTORS, 1 / len(TRAJECTORY_DETECTORS)), FINAL_BASELINE: -1.0}
    return Sample("AUROC, layer trajectories minus final entropy", "prompts", *_areas(tables, weights, "normal"))


def detection_beyond_control(tables: Tables) -> Sample:
    """Measured: AUROC of the trajectory detectors (mean of the two) for injected prompts against the benign control, minus 1/2.

    The control has as many words in the same place and asks for nothing: what is left is the attack, not an addition.
    """
    weights = dict.fromkeys(TRAJECTORY_DETECTORS, 1 / len(TRAJECTORY_DETECTORS))
    area, units = _areas(tables, weights, CONTROL)
    quantity = "AUROC of layer trajectories, injection against its benign control, above one half"
    return Sample(quantity, "prompts", lambda drawn: area(drawn) - 0.5, units)


def _areas(tables: Tables, detectors: dict[str, float], other: str) -> tuple[Statistic, np.ndarray]:
    """Weighted sum of the detectors' AUROCs, injected prompts against those of the kind `other`, and the units of the items."""
    columns = ("model", "task", "prompt", "demonstrations", "kind", "detector", "attack", "score")
    scores = tables.read("detect", *columns).filter(pl.col("detector").is_in(list(detectors)))
    seen = scores.filter(pl.col("kind") == ATTACK).select("model", "task", "demonstrations").unique()
    scores = scores.filter(pl.col("kind").is_in([ATTACK, other])).join(seen, on=seen.columns, how="semi")
    scores = scores.sort("model", "task", "detector", "kind", "prompt")
    if not set(detectors) <= set(scores["detector"]) or scores["kind"].n_unique() < 2:
        raise MissingEvidence(f"no injected and {other} prompts scored by {', '.join(detectors)}")
    attack, score = array(scores, "attack"), array(scores, "score")
    cells = scores.with_row_index().group_by("model", "task", "detector", maintain_order=True).agg("index")
    signs = [detectors[name] for name in cells["detector"]]
    areas = [among(auroc_of(score[rows], attack[rows]), rows) for rows in (cell.to_numpy() for cell in cells["index"])]
    sets = len(cells) / len(detectors)

    def total(weights: Weights) -> np.ndarray:
        return cast(np.ndarray, sum(sign * area(weights) for sign, area in zip(signs, areas, strict=True)) / sets)

    return total, scores.select(pl.concat_str("task", "prompt", separator="/")).to_series().to_numpy()


def early_exit_gain(tables: Tables) -> Sample:
    """Measured: accuracy under injection with early exit minus without; the exit layer was chosen on other prompts."""
    scores = tables.read("defend", "model", "task", "prompt", "demonstrations", "condition", "policy", "correct")
    scores = scores.filter(pl.col("condition") == ATTACK).with_columns(
        pl.concat_str("task", "prompt", separator="/").alias("unit")
    )
    none, early = (scores.filter(pl.col("policy") == name) for name in ("final", "early_exit"))
    both = paired(early.sort("model", "unit"), none, ["model", "unit", "demonstrations"], "correct")
    if not len(both):
        raise MissingEvidence("no prompts with an injection answered with and without early exit")
    gain = mean_of(array(both, "correct") - array(both, "other"))
    return Sample("accuracy under injection, early exit minus none", "prompts", gain, both["unit"].to_numpy(), DIFFERENCE)


def _released(tables: Tables) -> tuple[pl.DataFrame, int]:
    """GPT-J's released curve: per layer the share right after false and after true demonstrations, with standard errors, and n.

    The published bounds are 1.96 sample standard errors on each side, from which the number of inputs follows.
    """
    columns = ("model", "task", "metric", "prefix", "demonstrations", "layer", "mean", "lower", "upper")
    table = tables.read("released_layers", *columns).filter(
        pl.col("model") == "gpt-j-6b", pl.col("task") == "unnatural", pl.col("metric") == "calibrated"
    )
    if not len(table):
        raise MissingEvidence("there is no released curve of GPT-J on the task unnatural")
    table = table.filter(pl.col("demonstrations") == pl.col("demonstrations").max())
    table = table.with_columns(((pl.col("upper") - pl.col("lower")) / (2 * 1.96)).alias("error"))
    sides = [table.filter(pl.col("prefix") == name).select("layer", "mean", "error") for name in ("incorrect", "correct")]
    curve = sides[0].join(sides[1], on="layer", suffix="_normal").sort("layer")
    mean, error = curve.row(-1, named=True)["mean"], curve.row(-1, named=True)["error"]
    return curve, round(mean * (1 - mean) / error**2) + 1


def released_attacked_final(tables: Tables) -> Aggregate:
    """Released: calibrated accuracy at the last layer after false demonstrations."""
    curve, n = _released(tables)
    last = curve.row(-1, named=True)
    return Aggregate("final accuracy after false demonstrations (GPT-J)", "inputs", last["mean"], last["error"], n)


def released_early_recovery(tables: Tables) -> Aggregate:
    """Released: as `early_recovery`, at the best layer of the upper half; aggregates cannot be split, so it is the reader's best.

    The errors of the three accuracies are added, the worst case of their dependence.
    """
    curve, n = _released(tables)
    last = curve.row(-1, named=True)
    upper = curve.filter(pl.col("layer") * 2 >= last["layer"], pl.col("layer") < last["layer"])
    early = upper.sort("mean").row(-1, named=True)
    above = early["mean"] - (last["mean"] + last["mean_normal"]) / 2
    error = early["error"] + (last["error"] + last["error_normal"]) / 2
    return Aggregate(
        f"layer-{early['layer']} accuracy after false demonstrations above half-way (GPT-J)", "inputs", above, error, n
    )


def released_damage_before_end(tables: Tables) -> Aggregate:
    """Released: accuracy lost to false demonstrations two layers before the last; errors added, the worst case."""
    curve, n = _released(tables)
    before = curve.row(-1 - LAST_COUPLE, named=True)
    lost, error = before["mean_normal"] - before["mean"], before["error"] + before["error_normal"]
    return Aggregate("accuracy lost two layers before the last (GPT-J)", "inputs", lost, error, n)
