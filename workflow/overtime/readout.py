"""Accuracy by layer beside the measured curves: the authors' released ones, and chance."""

import polars as pl

RELEASED = ("gpt-j-6b", "unnatural")  # the model and task that match the talk's description


def released_accuracy(released: pl.DataFrame) -> pl.DataFrame:
    """Rows of figure 7 from the released arrays (`released.read_last_layers`), with the authors' own bounds."""
    model, task = RELEASED
    rows = released.filter(model=model, task=task)
    return rows.select(
        "model",
        "task",
        "metric",
        "demonstrations",
        "lower",
        "upper",
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
    return pl.DataFrame({"source": ["measured"], "series": ["chance"], **{name: [share] for name in ("y", "lower", "upper")}})
