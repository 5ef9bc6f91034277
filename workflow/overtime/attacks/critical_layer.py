"""Where in the stack an attack takes hold: the gap to the clean prompts by layer, where it opens, and the critical layer."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overtime import InputError
from overtime.attacks.few_shot_prompts import ATTACKS
from overtime.files import require_finite
from overtime.statistics import Statistic, Weights, bootstrap
from overtime.tables import interval_columns

OPEN = 0.1  # a gap of ten points counts as open
HALF = 0.5  # the critical layer is where half of the final gap is reached (Halawi et al. 2023, arXiv 2307.09476)
LANDMARKS = {"opens": None, "critical": HALF}


def gap_landmarks(
    scores: pl.DataFrame, condition: str, window: tuple[int, int], resamples: int = 2000, seed: int = 0
) -> pl.DataFrame:
    """Two layers of `scored_answers` with intervals over rotation groups: where the gap opens, and the critical layer.

    "opens" is the first layer from which the gap stays at `OPEN` or more, "critical" the first from which it stays at half of its
    final size or more. Returns `lens`, `metric`, `landmark`, `n`, `y` (the layer), `lower`, `upper`; `y` is null where there is
    none (the gap at the end is smaller than `OPEN`).
    """
    rows = []
    for lens, metric, gaps in _gaps(scores, condition, window):
        for landmark, level in LANDMARKS.items():
            row = {"lens": lens, "metric": metric, "landmark": landmark, "n": len(gaps)}
            row |= dict.fromkeys(("y", "lower", "upper"))
            if gaps[:, -1].mean() >= OPEN:
                interval = bootstrap(_settles(gaps, level), np.arange(len(gaps)), resamples, seed).interval()
                row |= interval_columns(interval)
            rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)


def landmark_rows(scores: pl.DataFrame, window: tuple[int, int], resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """Rows of figure 7: the landmarks of every attack that `scored_answers` hold; `kind` "landmark", the layer as `y`."""
    held = [condition for condition in ATTACKS if condition in scores["condition"]]
    found = {condition: gap_landmarks(scores, condition, window, resamples, seed) for condition in held}
    tables = [table.with_columns(condition=pl.lit(condition)) for condition, table in found.items()]
    return _rows(pl.concat(tables, how="vertical_relaxed"), "measured")


def released_landmarks(curves: pl.DataFrame) -> pl.DataFrame:
    """The same rows from released curves (`layers_table.released_accuracy`): of their means, without intervals."""
    require_finite(curves, "released curves")
    rows = []
    for (model, task, metric), part in curves.group_by("model", "task", "metric", maintain_order=True):
        wide = part.pivot("condition", index="x", values="y").sort("x")
        gap = (wide["true"] - wide["false"]).to_numpy()[None]
        for landmark, level in LANDMARKS.items():
            layer = float(_settles(gap, level)(np.ones((1, 1)))[0])
            rows.append({"model": model, "task": task, "metric": metric, "landmark": landmark, "y": layer})
    named = pl.DataFrame(rows).with_columns(pl.col("y").fill_nan(None), lens=pl.lit("logit"), condition=pl.lit("false"))
    bounds = dict.fromkeys(("lower", "upper", "n"), pl.lit(None))
    return _rows(named.with_columns(**bounds), "released")


def _rows(landmarks: pl.DataFrame, source: str) -> pl.DataFrame:
    named = landmarks.with_columns(kind=pl.lit("landmark"), source=pl.lit(source))
    return named.with_columns(series=pl.format("{} {}", "condition", "landmark"))


def _gaps(scores: pl.DataFrame, condition: str, window: tuple[int, int]) -> Iterator[tuple[str, str, NDArray[np.float64]]]:
    """Lens, metric and gaps [groups, layers + 1]; InputError if no prompt has both conditions in the window."""
    require_finite(scores, "scored answers")
    cell = ["lens", "demonstrations", "layer"]
    inside = scores.filter(pl.col("demonstrations").is_between(*window))
    clean, attacked = (inside.filter(pl.col("condition") == name) for name in ("true", condition))
    pairs = clean.join(attacked, on=["prompt", "group", *cell], suffix="_attacked")
    if pairs.is_empty():
        raise InputError(
            f"condition {condition!r}: no prompt has it beside 'true' after {window[0]} to {window[1]} demonstrations"
        )
    for metric in ("plain", "calibrated"):
        gap = (pl.col(metric) - pl.col(f"{metric}_attacked")).mean()
        by_prompt = pairs.group_by("lens", "prompt", "group", "layer").agg(gap=gap).sort("lens", "prompt", "layer")
        for (lens,), part in by_prompt.group_by("lens", maintain_order=True):
            if part.height != part["prompt"].n_unique() * part["layer"].n_unique():
                raise InputError(f"condition {condition!r}: prompts differ in the layers that the {lens} lens read; read all")
            by_group = part.group_by("group", "layer").agg(pl.mean("gap")).sort("group", "layer")
            yield lens, metric, by_group["gap"].to_numpy().reshape(part["group"].n_unique(), -1)


def _settles(gaps: NDArray[np.float64], share: float | None) -> Statistic:
    """First layer from which the mean gap stays at `OPEN`, or at a share of its final value, or more; NaN if it ends below."""

    def statistic(weights: Weights) -> NDArray[np.float64]:
        mean = weights @ gaps / weights.sum(1, keepdims=True)
        final = mean[:, -1]
        level = OPEN if share is None else share * final[:, None]
        below = mean < level
        first = mean.shape[1] - np.argmax(below[:, ::-1], axis=1)
        first[~below.any(axis=1)] = 0  # argmax says 0 where nothing is below, too
        return np.where(final >= OPEN, first, np.nan)

    return statistic
