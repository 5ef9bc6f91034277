"""What a readout is worth, answer by answer: plain, calibrated and top-1."""

import polars as pl

from overtime import InputError
from overtime.attacks.whole_readouts import check_whole

CELL = ["condition", "demonstrations", "lens", "layer"]  # the prompts that are calibrated together in a `read_prompts` table


def scored_answers(layers: pl.DataFrame) -> pl.DataFrame:
    """The scores of all answers in a `read_prompts` table, calibrated by condition, demonstrations, lens and layer."""
    return score_answers(layers, CELL)


def calibrated_accuracy(readout: pl.DataFrame, truth: list[str]) -> pl.DataFrame:
    """Calibrated accuracy of a `read_layers` table: `layer`, `accuracy`. `truth` holds the true label of every prompt number.

    Halawi et al. 2023 (arXiv 2307.09476): an answer counts if the label-normalised probability of its true label exceeds the
    (k-1)/k quantile of that label's probability over all inputs (k labels, linear interpolation); a tie counts 1/k.
    Raises InputError for truths of other prompts, and for a readout that `check_whole` refuses.
    """
    if (prompts := readout["prompt"].unique().sort().to_list()) != list(range(len(truth))):
        asked = f"{len(prompts)} prompts were read, numbered {prompts[0]} to {prompts[-1]}" if prompts else "no prompt was read"
        raise InputError(f"{len(truth)} true labels, but {asked}; need the label of every prompt, in their order")
    truths = pl.DataFrame({"prompt": range(len(truth)), "truth": truth}, schema_overrides={"prompt": readout["prompt"].dtype})
    scores = score_answers(readout.join(truths, on="prompt", how="left"), ["layer"])
    return scores.group_by("layer").agg(accuracy=pl.col("calibrated").mean()).sort("layer")


def score_answers(layers: pl.DataFrame, cell: list[str]) -> pl.DataFrame:
    """Score the true label of every readout, 0 to 1: `prompt`, the `cell` columns, `plain`, `calibrated`, `top1` given `top`.

    `group` is kept where there is one.

    `plain`: it is the most likely of the labels (ties share). `calibrated`: see `calibrated_accuracy`, with the prompts of a cell
    as inputs. `top1`: it is the most likely token of the vocabulary. Raises the errors of `check_whole`.
    """
    check_whole(layers, ["prompt", *(column for column in cell if column != "layer")])
    labels, one = layers["label"].n_unique(), ["prompt", *cell]
    logit, weight, probability, threshold = pl.col("logit").cast(pl.Float64), *map(pl.col, ("weight", "probability", "threshold"))
    # One window a time: what is used twice in an expression is computed twice.
    scored = (
        layers.with_columns(weight=(logit - logit.max().over(one)).exp())  # exactly 1 for the most likely label
        .with_columns(probability=weight / weight.sum().over(one), best=weight == 1)
        .with_columns(threshold=probability.quantile((labels - 1) / labels, "linear").over([*cell, "label"]))
        .with_columns(plain=pl.col("best") / pl.col("best").sum().over(one))
        .filter(pl.col("label") == pl.col("truth"))
    )
    calibrated = (probability > threshold).cast(pl.Float64) + (probability == threshold) / labels
    top1 = [pl.col("top").cast(pl.Float64).alias("top1")] if "top" in layers.columns else []
    group = [column for column in ("group",) if column in layers.columns]
    return scored.select(*one, *group, "plain", calibrated.alias("calibrated"), *top1)
