"""The table of figure 7: accuracy by layer and by demonstrations, with the released curves and chance beside it."""

from collections.abc import Iterable

import polars as pl

from overtime.attacks.critical_layer import landmark_rows, released_landmarks
from overtime.attacks.layer_accuracy import scored_answers
from overtime.files import require_finite
from overtime.statistics import bootstrap, mean_of
from overtime.tables import interval_columns, interval_rows

METRICS = ("plain", "calibrated", "top1")
RELEASED_CURVE = ("gpt-j-6b", "unnatural")  # the model and task that match the talk's description


def layers_table(
    released: pl.DataFrame,
    read: Iterable[tuple[str, str, pl.DataFrame]],
    lenses: Iterable[tuple[str, pl.DataFrame]],
    window: tuple[int, int],
    resamples: int = 2000,
    seed: int = 0,
) -> pl.DataFrame:
    """All rows of figure 7, told apart by `kind`: layers, landmark, demonstrations, chance and divergence.

    `released` are the authors' last layers; `read` are (model, task, `read_prompts` table) and `lenses` (model, evaluation of its
    lens on held-out text).
    """
    require_finite(released, "released layers")
    curves = released_accuracy(released)
    tables = [curves, released_landmarks(curves)]
    for model, task, layers in read:
        scores = scored_answers(layers)
        by_layer = accuracy_by_layer(scores, window, resamples, seed), landmark_rows(scores, window, resamples, seed)
        for rows in (*by_layer, accuracy_by_demonstrations(scores, resamples, seed), chance(layers)):
            tables.append(rows.with_columns(model=pl.lit(model), task=pl.lit(task)))
    tables += [divergence_rows(held_out).with_columns(model=pl.lit(model)) for model, held_out in lenses]
    return pl.concat(tables, how="diagonal_relaxed")


def accuracy_by_layer(scores: pl.DataFrame, window: tuple[int, int], resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """Accuracy of `scored_answers` by condition, lens, metric and layer, with intervals over rotation groups.

    A prompt counts with its mean over the cues that follow `window` = (fewest, most) demonstrations, a zero-shot prompt as it is.
    Returns `kind` ("layers"), `source`, `series`, `condition`, `lens`, `metric` ("plain", "calibrated", "top1"), `demonstrations`
    (the most seen), `x` (layer), `y`, `lower`, `upper`, `n` (groups). Calibration is per condition and number of demonstrations.
    """
    inside = pl.col("demonstrations").is_between(*window) | (pl.col("condition") == "zero_shot")
    rows = _accuracy(scores.filter(inside), ["condition", "lens", "metric", "layer"], resamples, seed)
    return rows.rename({"layer": "x"}).with_columns(kind=pl.lit("layers"))


def accuracy_by_demonstrations(scores: pl.DataFrame, resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """Accuracy of the model's own output (its last layer) after every number of demonstrations, with intervals over groups.

    Returns the columns of `accuracy_by_layer`, with `kind` "demonstrations" and the number of demonstrations as `x`.
    """
    own = scores.filter(pl.col("layer") == pl.col("layer").max(), pl.col("lens") == "logit")
    rows = _accuracy(own.with_columns(x=pl.col("demonstrations")), ["condition", "lens", "metric", "x"], resamples, seed)
    return rows.with_columns(kind=pl.lit("demonstrations"))


def _accuracy(scores: pl.DataFrame, cell: list[str], resamples: int, seed: int) -> pl.DataFrame:
    """Mean scores of every `cell` (`metric` among its columns) over prompts, each with its mean over the cues in the cell.

    Rotation groups, which share a layout and a suffix, are the units of the intervals.
    """
    require_finite(scores, "scored answers")
    index = ["prompt", "group", "demonstrations", *(column for column in cell if column != "metric")]
    metrics = [metric for metric in METRICS if metric in scores.columns]
    cells = (
        scores.unpivot(metrics, index=index, variable_name="metric")
        .drop_nulls("value")
        .group_by(*cell, "group", maintain_order=True)  # of as many prompts each, read at as many cues
        .agg(pl.col("value").mean(), pl.col("demonstrations").max())
        .group_by(cell, maintain_order=True)
        .agg("value", "group", pl.col("demonstrations").max())
    )
    rows = []
    for row in cells.iter_rows(named=True):
        interval = bootstrap(mean_of(row.pop("value")), row.pop("group"), resamples, seed, limits=(0, 1)).interval()
        rows.append({"source": "measured", "series": row[cell[0]]} | row | interval_columns(interval))
    return interval_rows(rows)


def released_accuracy(released: pl.DataFrame) -> pl.DataFrame:
    """Rows of figure 7 from the released arrays (`released.read_last_layers`), with the authors' own bounds."""
    model, task = RELEASED_CURVE
    rows = released.filter(model=model, task=task)
    return rows.select(
        "model",
        "task",
        "metric",
        "demonstrations",
        "lower",
        "upper",
        kind=pl.lit("layers"),
        source=pl.lit("released"),
        condition=pl.col("prefix").replace_strict({"correct": "true", "incorrect": "false"}),
        lens=pl.lit("logit"),
        x=pl.col("layer").cast(pl.Float64),
        y="mean",
        n=pl.lit(None, pl.Int64),
    ).with_columns(series=pl.format("{} {}", "model", "condition"))


def chance(layers: pl.DataFrame) -> pl.DataFrame:
    """The reference row of one task: the accuracy of guessing among its labels."""
    share = 1 / layers["label"].n_unique()
    names = {"kind": ["chance"], "source": ["measured"], "series": ["chance"]}
    return pl.DataFrame(names | {name: [share] for name in ("y", "lower", "upper")})


def divergence_rows(held_out: pl.DataFrame) -> pl.DataFrame:
    """Rows of figure 7 from the evaluation of a lens: KL divergence from the final output in nats, by layer, lens and text.

    `text` is what it was measured on, `fitted_on` what the lens was fitted on; `n` counts positions.
    """
    names = {"kind": pl.lit("divergence"), "source": pl.lit("measured"), "series": pl.col("lens"), "metric": pl.lit("kl")}
    return held_out.rename({"layer": "x", "kl": "y"}).with_columns(**names)
