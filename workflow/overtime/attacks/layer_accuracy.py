"""Accuracy by layer from a readout: plain, calibrated and top-1; the authors' released curves and chance beside it."""

import polars as pl


def calibrated_accuracy(readout: pl.DataFrame, truth: list[str]) -> pl.DataFrame:
    """Calibrated accuracy of a `read_layers` table: `layer`, `accuracy`. `truth` holds the true label of every prompt number.

    Halawi et al. 2023 (arXiv 2307.09476): an answer counts if the label-normalised probability of its true label exceeds the
    (k-1)/k quantile of that label's probability over all inputs (k labels, linear interpolation); a tie counts 1/k.
    """
    truths = pl.DataFrame({"prompt": range(len(truth)), "truth": truth}, schema_overrides={"prompt": readout["prompt"].dtype})
    scores = score_answers(readout.join(truths, on="prompt", how="left"), ["layer"])
    return scores.group_by("layer").agg(accuracy=pl.col("calibrated").mean()).sort("layer")


def score_answers(layers: pl.DataFrame, cell: list[str]) -> pl.DataFrame:
    """Score the true label of every readout, 0 to 1: `prompt`, the `cell` columns, `plain`, `calibrated`, and `top1` given `top`.

    `plain`: it is the most likely of the labels (ties share). `calibrated`: see `calibrated_accuracy`, with the prompts of a cell
    as inputs. `top1`: it is the most likely token of the vocabulary.
    """
    labels, one = layers["label"].n_unique(), ["prompt", *cell]
    logit, probability = pl.col("logit").cast(pl.Float64), pl.col("probability")
    weight = (logit - logit.max().over(one)).exp()  # exactly 1 for the most likely label
    scored = layers.with_columns(probability=weight / weight.sum().over(one), best=weight == 1)
    threshold = probability.quantile((labels - 1) / labels, "linear").over([*cell, "label"])
    scored = scored.with_columns(
        plain=pl.col("best") / pl.col("best").sum().over(one),
        calibrated=(probability > threshold).cast(pl.Float64) + (probability == threshold) / labels,
    ).filter(pl.col("label") == pl.col("truth"))
    top1 = [pl.col("top").cast(pl.Float64).alias("top1")] if "top" in layers.columns else []
    return scored.select(*one, "plain", "calibrated", *top1)
