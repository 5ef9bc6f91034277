"""Accuracy by layer from a readout: plain, calibrated and top-1; the authors' released curves and chance beside it."""

import polars as pl

from overtime.stats import bootstrap
from overtime.weighted import mean_of

METRICS = ("plain", "calibrated", "top1")
RELEASED = ("gpt-j-6b", "unnatural")  # the model and task that match the talk's description


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
    weight = (logit - logit.max().over(one)).exp()
    scored = layers.with_columns(probability=weight / weight.sum().over(one), best=weight == 1)
    threshold = probability.quantile((labels - 1) / labels, "linear").over([*cell, "label"])
    scored = scored.with_columns(
        plain=pl.col("best") / pl.col("best").sum().over(one),
        calibrated=(probability > threshold).cast(pl.Float64) + (probability == threshold) / labels,
    ).filter(pl.col("label") == pl.col("truth"))
    top1 = [pl.col("top").cast(pl.Float64).alias("top1")] if "top" in layers.columns else []
    return scored.select(*one, "plain", "calibrated", *top1)


def accuracy_by_layer(layers: pl.DataFrame, window: tuple[int, int], resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """Accuracy of a `read_prompts` table by condition, lens, metric and layer, with intervals over prompts.

    A prompt counts with its mean over the cues that follow `window` = (fewest, most) demonstrations, a zero-shot prompt as it is.
    Returns `kind` ("layers"), `source`, `series`, `condition`, `lens`, `metric` ("plain", "calibrated", "top1"), `demonstrations`
    (the most seen), `x` (layer), `y`, `lower`, `upper`, `n` (prompts). Calibration is per condition and number of demonstrations.
    """
    inside = pl.col("demonstrations").is_between(*window) | (pl.col("condition") == "zero_shot")
    rows = _accuracy(layers.filter(inside), ["condition", "lens", "metric", "layer"], resamples, seed)
    return rows.rename({"layer": "x"}).with_columns(kind=pl.lit("layers"))


def accuracy_by_demonstrations(layers: pl.DataFrame, resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """Accuracy of the model's own output (its last layer) after every number of demonstrations, with intervals over prompts.

    Returns the columns of `accuracy_by_layer`, with `kind` "demonstrations" and the number of demonstrations as `x`.
    """
    own = layers.filter(pl.col("layer") == pl.col("layer").max(), pl.col("lens") == "logit")
    rows = _accuracy(own.with_columns(x=pl.col("demonstrations")), ["condition", "lens", "metric", "x"], resamples, seed)
    return rows.with_columns(kind=pl.lit("demonstrations"))


def _accuracy(layers: pl.DataFrame, cell: list[str], resamples: int, seed: int) -> pl.DataFrame:
    """Mean scores of every `cell` (`metric` among its columns) over prompts, each with its mean over the cues in the cell."""
    index = ["prompt", "demonstrations", *(column for column in cell if column != "metric")]
    scores = score_answers(layers, index[1:])
    metrics = [metric for metric in METRICS if metric in scores.columns]
    by_prompt = (
        scores.unpivot(metrics, index=index, variable_name="metric")
        .drop_nulls("value")
        .group_by(*cell, "prompt", maintain_order=True)
        .agg(pl.col("value").mean(), pl.col("demonstrations").max())
    )
    rows = []
    for names, part in by_prompt.group_by(cell, maintain_order=True):
        interval = bootstrap(mean_of(part["value"]), part["prompt"], resamples, seed, limits=(0, 1)).interval()
        rows.append(
            {"source": "measured", "series": names[0]}
            | dict(zip(cell, names))
            | {"demonstrations": part["demonstrations"].max(), "y": interval.estimate}
            | {"lower": interval.lower, "upper": interval.upper, "n": interval.n}
        )
    return pl.DataFrame(rows)


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
