"""What models answer at each layer, with and without attacks: read once, prompt by prompt, and the tasks that can be judged.

The unit is the rotation group: the prompts of a task that share their layout and the wording of their suffix. Wordings come again
in other tasks, and where there are more groups than wordings, so they are a unit, too. Accuracy at the last layer is the model's
own; earlier layers are read by the tuned lens where there is one, or by the lens that an option names. Statistics are means over
tasks of the mean over their prompts; models count alike.
"""

import math
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overtime.claims.decisions import decide
from overtime.claims.evidence import DIFFERENCE, MissingEvidence, Sample, Tables, array
from overtime.files import require_unique
from overtime.jackknife import FEWEST_LEVELS
from overtime.statistics import Statistic, Weights, among, mean_of

ATTACK, NORMAL, CONTROL = "injection", "true", "benign"
SECOND = "second"  # a tuned lens that was fitted on another text, read for the target `robustness`
WORDINGS = 18  # of suffixes, one for each rotation group in turn
SUCCESS = (0.05, math.inf)  # an attack that costs less beyond a harmless suffix says nothing about where attacks take hold
READABLE = (0.05, math.inf)  # clean accuracy beyond chance, below which a layer knows nothing
PROMPT = ["model", "task", "prompt"]
AT_END = pl.col("layer") == pl.col("depth")


def answers_by_layer(tables: Tables, lens: str | None, wording: int | None, without: str | None) -> pl.DataFrame:
    """A row for every model, task, prompt, condition and layer, after the most demonstrations: `said`, `right` (0 or 1), `labels`
    (how many there are), `depth` (the last layer), `group`.

    `wording` leaves out the rotation groups with this wording of the suffix, `without` a task.
    """
    rows = _answers(tables, lens)
    if wording is not None:
        rows = rows.filter(pl.col("group") % WORDINGS != wording)
    if without is not None:
        rows = rows.filter(pl.col("task") != without)
    if rows.is_empty():
        raise MissingEvidence("no other task or wording was read")
    return rows


@lru_cache(maxsize=4)
def _answers(tables: Tables, lens: str | None) -> pl.DataFrame:
    columns = ("model", "task", "prompt", "group", "condition", "demonstrations", "lens", "layer", "label", "logit", "truth")
    layers = tables.read("second_layers" if lens == SECOND else "layers", *columns)
    last, most = pl.col("layer").max().over("model"), pl.col("demonstrations").max().over("model", "task")
    tuned = pl.col("lens").max().over("model", "task") if lens in (None, SECOND) else pl.lit(lens)  # "tuned" sorts after "logit"
    own = pl.when(pl.col("layer") == pl.col("depth")).then(pl.lit("logit")).otherwise(tuned)
    rows = layers.with_columns(last.alias("depth")).filter(
        pl.col("condition").is_in([ATTACK, NORMAL, CONTROL]), pl.col("demonstrations") == most, pl.col("lens") == own
    )
    key = [*PROMPT, "group", "condition", "layer", "depth", "truth"]
    require_unique(rows, [*key, "label"], "layers")
    best = pl.col("label").sort_by("logit", "label", descending=True).first()
    result = rows.group_by(key).agg(best.alias("said"), pl.len().alias("labels"))
    if lacking := [name for name in (ATTACK, NORMAL, CONTROL) if name not in result["condition"]]:
        raise MissingEvidence(f"no prompts of the condition {', '.join(lacking)}")
    return result.with_columns(right=(pl.col("said") == pl.col("truth")).cast(pl.Float64)).sort(key)


def compared(answers: pl.DataFrame, **parts: tuple[str, pl.Expr]) -> pl.DataFrame:
    """One row for each model and prompt; each part is (condition, which layer) and becomes columns of `right`, `NAME_said`."""
    wide = answers.select(*PROMPT, "group", "labels", "truth").unique()
    for name, (condition, layer) in parts.items():
        rows = answers.filter(pl.col("condition") == condition, layer)
        wide = wide.join(rows.select(*PROMPT, pl.col("right").alias(name), pl.col("said").alias(f"{name}_said")), on=PROMPT)
    return wide.sort(PROMPT)


def prompt_sample(quantity: str, wide: pl.DataFrame, note: str = "", limits: tuple[float, float] | None = DIFFERENCE) -> Sample:
    """The mean over tasks of the mean of `value` over prompts; MissingEvidence without prompts."""
    if wide.is_empty():
        raise MissingEvidence(note or "no prompt was read under all conditions at the layers compared")
    models = wide["model"].unique().sort().to_list()
    every = wide.select("task", "prompt", "group").unique().sort("task", "prompt")
    runs: dict[str, list[Statistic]] = {}
    for model in models:
        own = every.join(wide.filter(model=model), on=["task", "prompt"], how="left", maintain_order="left")
        if own["value"].null_count():
            raise MissingEvidence(f"{model} was not read on all prompts that other models were")
        runs[model] = [mean_of_means(array(own, "value"), own["task"].to_numpy())]
    return Sample(quantity, units_of(every), runs, limits=limits, note=note)


def units_of(items: pl.DataFrame) -> dict[str, NDArray[np.generic]]:
    """The rotation group and the wording of every item, a row with `task` and `group`."""
    groups = items.select(pl.concat_str("task", "group", separator="/")).to_series()
    return {"rotation groups": groups.to_numpy(), "wordings": (items["group"] % WORDINGS).to_numpy()}


def mean_of_means(values: NDArray[np.float64], tasks: NDArray[np.str_]) -> Statistic:
    """The mean over tasks of the weighted mean of their values."""
    means = [among(mean_of(values[rows]), rows) for rows in (np.flatnonzero(tasks == task) for task in np.unique(tasks))]

    def statistic(weights: Weights) -> NDArray[np.float64]:
        average: NDArray[np.float64] = np.mean([mean(weights) for mean in means], axis=0)
        return average

    return statistic


def attacked_tasks(answers: pl.DataFrame, readable: pl.Expr | None = None) -> tuple[pl.DataFrame, str]:
    """The answers of the tasks on which the attack works, and which are left out, and why.

    It works where the accuracy of the output is lower than with a harmless suffix by more than .05; where `readable` names
    layers, clean accuracy there must exceed chance by more than .05 as well. Both are judged like claims.
    """
    kept, left = [], []
    for (task,), rows in answers.group_by("task", maintain_order=True):
        wide = compared(rows, harmless=(CONTROL, AT_END), attacked=(ATTACK, AT_END))
        lost = wide.with_columns(value=pl.col("harmless") - pl.col("attacked"))
        if not _holds(lost, SUCCESS):
            left.append(f"{task} (the attack costs no more than a harmless suffix)")
        elif readable is not None and not _readable(rows, readable):
            left.append(f"{task} (no such layer knows it on clean prompts)")
        else:
            kept.append(rows)
    note = f"left out: {', '.join(left)}" if left else ""
    if not kept:
        raise MissingEvidence(f"no task can be judged; {note}")
    return pl.concat(kept), note


def _readable(rows: pl.DataFrame, layer: pl.Expr) -> bool:
    clean = compared(rows, clean=(NORMAL, layer))
    return _holds(clean.with_columns(value=pl.col("clean") - 1 / pl.col("labels")), READABLE)


def _holds(wide: pl.DataFrame, region: tuple[float, float]) -> bool:
    if wide.is_empty() or wide["group"].n_unique() < FEWEST_LEVELS:
        return False
    return decide(prompt_sample("precondition", wide), region) == "upheld"


def upper_layers(depth: int, share: int) -> range:
    """The candidates for "shortly before the end": the last of so many parts of the layers, without the last two."""
    return range(depth - math.ceil(depth / share), depth - 1)
